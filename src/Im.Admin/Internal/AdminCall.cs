using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Im.Administration.Internal;

/// <summary>One call that the host's policy has let in: its arguments, with types, and its answer.</summary>
internal sealed class AdminCall(HttpContext context, AdminRoute route, IImServer server, IImAdmin admin, ImAdminOptions options)
{
    private const int DefaultLimit = 50;

    private byte[] _body = [];

    public HttpContext Context => context;

    public IImServer Server => server;

    public IImAdmin Admin => admin;

    public ImAdminOptions Options => options;

    public CancellationToken Aborted => context.RequestAborted;

    public int Limit => (int)Math.Clamp(Number("limit") ?? DefaultLimit, 0, int.MaxValue);

    /// <summary>
    /// Refuses parameters that the call does not have, and reads the body. A change needs the JSON content type: a browser does not send that to another
    /// site without asking it first, so no foreign page makes changes in an operator's name.
    /// </summary>
    public async Task CheckAsync()
    {
        var unknown = context.Request.Query.Keys.FirstOrDefault(key => !route.Parameters.Any(parameter => parameter.Name == key && !parameter.InPath));
        if (unknown is not null)
        {
            var known = string.Join(", ", route.Parameters.Where(parameter => !parameter.InPath).Select(parameter => parameter.Name));
            throw AdminProblemException.BadArgument($"There is no parameter \"{unknown}\" here; there are: {(known.Length == 0 ? "none" : known)}.");
        }

        if (!route.ChangesState)
        {
            return;
        }

        if (!context.Request.HasJsonContentType())
        {
            throw new AdminProblemException(415, "json_required", "Send the header Content-Type: application/json, also where there is no body.");
        }

        _body = await ReadBodyAsync();
    }

    /// <summary>A parameter of the query; null where it is not there or empty.</summary>
    public string? Text(string name)
    {
        var values = context.Request.Query[name];
        return values.Count > 1
            ? throw AdminProblemException.BadArgument($"{name} is there more than once.")
            : string.IsNullOrEmpty(values) ? null : values.ToString();
    }

    public long? Number(string name) => Text(name) is not { } text ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
        : throw AdminProblemException.BadArgument($"{name} must be a whole number.");

    public T? Choice<T>(string name)
        where T : struct, Enum
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        foreach (var value in Enum.GetValues<T>())
        {
            if (JsonNamingPolicy.CamelCase.ConvertName(value.ToString()) == text)
            {
                return value;
            }
        }

        var known = string.Join(", ", Enum.GetNames<T>().Select(JsonNamingPolicy.CamelCase.ConvertName));
        throw AdminProblemException.BadArgument($"{name} must be one of: {known}.");
    }

    /// <summary>A part of the path. Servers leave an encoded slash as it is, so where there may be one the segment is decoded from what was sent.</summary>
    public string Path(string name)
    {
        var value = (string)context.GetRouteValue(name)!;
        if (!value.Contains("%2F", StringComparison.OrdinalIgnoreCase))
        {
            return value;
        }

        var template = route.Pattern.Split('/');
        var fromEnd = template.Length - Array.IndexOf(template, "{" + name + "}");
        var sent = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0].TrimEnd('/').Split('/');
        return sent.Length < fromEnd ? value : Uri.UnescapeDataString(sent[^fromEnd]);
    }

    /// <summary>The body; where there is none, what an empty object would be.</summary>
    public T Body<T>(JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(_body.Length == 0 ? "{}"u8 : _body, type) ?? throw AdminProblemException.BadArgument("The body is null; send an object.");

    public Task AnswerAsync<T>(T answer, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, answer, type, Aborted);
    }

    private async Task<byte[]> ReadBodyAsync()
    {
        if (context.Request.ContentLength > options.MaxBodyBytes)
        {
            throw TooLarge();
        }

        using var buffer = new MemoryStream();
        var part = new byte[8192];
        int count;
        while ((count = await context.Request.Body.ReadAsync(part, Aborted)) > 0)
        {
            if (buffer.Length + count > options.MaxBodyBytes)
            {
                throw TooLarge();
            }

            buffer.Write(part, 0, count);
        }

        return buffer.ToArray();
    }

    private AdminProblemException TooLarge() =>
        new(413, "body_too_large", $"The body may have {options.MaxBodyBytes} bytes (ImAdminOptions.MaxBodyBytes); send less at once.");
}
