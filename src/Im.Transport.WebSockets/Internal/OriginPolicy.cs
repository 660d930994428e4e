using Microsoft.AspNetCore.Http;

namespace Im.Transport.WebSockets.Internal;

/// <summary>Which pages may connect. A browser sends its cookies along with any page's WebSocket; the Origin header is what tells them apart.</summary>
internal sealed class OriginPolicy
{
    /// <summary>The entry that lets every page in.</summary>
    public const string Any = "*";

    private readonly bool _any;
    private readonly Uri[] _allowed;

    public OriginPolicy(IEnumerable<string> allowedOrigins)
    {
        var origins = allowedOrigins.ToArray();
        _any = origins.Contains(Any);
        _allowed = [.. origins.Select(Parse).OfType<Uri>()];
    }

    /// <summary>Null where the text is no http(s) origin.</summary>
    public static Uri? Parse(string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
        && uri is { PathAndQuery: "/", Fragment: "", UserInfo: "" }
            ? uri
            : null;

    public bool Allows(HttpRequest request)
    {
        var header = request.Headers.Origin;
        if (_any || header.Count == 0)
        {
            return true;
        }

        // "null" (a sandboxed frame, a file) and several values are no origin.
        if (header.Count != 1 || Parse(header[0] ?? "") is not { } origin)
        {
            return false;
        }

        return _allowed.Length == 0 ? IsSameHost(origin, request.Host) : _allowed.Any(allowed => IsSame(allowed, origin));
    }

    private static bool IsSame(Uri left, Uri right) =>
        left.Scheme == right.Scheme && left.Port == right.Port && left.IdnHost.Equals(right.IdnHost, StringComparison.OrdinalIgnoreCase);

    // The scheme is left out: behind a proxy that ends TLS the request looks like http while the page is https.
    private static bool IsSameHost(Uri origin, HostString host) =>
        Uri.TryCreate($"{origin.Scheme}://{host.ToUriComponent()}", UriKind.Absolute, out var own) && IsSame(own, origin);
}
