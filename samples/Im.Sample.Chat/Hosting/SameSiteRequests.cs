using Microsoft.Net.Http.Headers;

namespace Im.Sample.Chat.Hosting;

/// <summary>
/// Refuses a changing request that another site's page could have made. The cookie is <c>SameSite=Strict</c>, so such a request has none anyway; this
/// holds where a browser or a sibling host breaks that: a form cannot send these content types, and a script of another origin is named by
/// <c>Origin</c>.
/// </summary>
internal static class SameSiteRequests
{
    public static IApplicationBuilder UseSameSiteRequests(this IApplicationBuilder app) => app.Use((context, next) =>
        Check(context.Request) is { } problem ? Refuse(context, problem.Status, problem.Error) : next(context));

    private static (int Status, string Error)? Check(HttpRequest request)
    {
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || !request.Path.StartsWithSegments("/api"))
        {
            return null;
        }

        var origin = request.Headers.Origin.ToString();
        if (origin.Length > 0 && (!Uri.TryCreate(origin, UriKind.Absolute, out var uri) || uri.Authority != request.Host.Value))
        {
            return (StatusCodes.Status403Forbidden, "Requests must come from this site.");
        }

        // The one upload sends raw bytes; everything else is JSON. Neither can come from an HTML form.
        return MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
                || type.MediaType.Equals("application/octet-stream", StringComparison.OrdinalIgnoreCase))
            ? null
            : (StatusCodes.Status415UnsupportedMediaType,
                "Send the header Content-Type: application/json, also where there is no body (application/octet-stream for a picture).");
    }

    private static Task Refuse(HttpContext context, int status, string error)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new Problem(error), context.RequestAborted);
    }
}
