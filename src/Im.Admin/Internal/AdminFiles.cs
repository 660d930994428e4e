using System.Reflection;

namespace Im.Administration.Internal;

/// <summary>The files: the status page, and the OpenAPI document.</summary>
internal static class AdminFiles
{
    private static readonly Lazy<byte[]> Document = new(OpenApiDocument.Create);

    public static AdminRoute OpenApi { get; } =
        new("GET", "/openapi.json", "This document.", call => WriteAsync(call, Document.Value, "application/json"));

    public static AdminRoute[] Page { get; } =
    [
        new("GET", "/", "The status page.", WritePageAsync),
        File("admin.js", "text/javascript; charset=utf-8"),
        File("admin.css", "text/css; charset=utf-8"),
    ];

    private static AdminRoute File(string name, string contentType)
    {
        var content = new Lazy<byte[]>(() => Read(name));
        return new AdminRoute("GET", "/" + name, name, call => WriteAsync(call, content.Value, contentType));
    }

    private static readonly Lazy<byte[]> Html = new(() => Read("index.html"));

    // The page's links are relative to the folder that it is in.
    private static Task WritePageAsync(AdminCall call)
    {
        var request = call.Context.Request;
        if (request.Path.Value?.EndsWith('/') == true)
        {
            return WriteAsync(call, Html.Value, "text/html; charset=utf-8");
        }

        call.Context.Response.Redirect(request.PathBase.Add(request.Path).ToUriComponent() + "/");
        return Task.CompletedTask;
    }

    private static Task WriteAsync(AdminCall call, byte[] content, string contentType)
    {
        call.Context.Response.ContentType = contentType;
        call.Context.Response.ContentLength = content.Length;
        return call.Context.Response.Body.WriteAsync(content, call.Aborted).AsTask();
    }

    private static byte[] Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The package is damaged: it has no {name}.");
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
