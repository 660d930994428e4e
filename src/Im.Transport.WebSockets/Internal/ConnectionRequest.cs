using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Im.Transport.WebSockets.Internal;

/// <summary>What a connection keeps of the HTTP request that it began as.</summary>
internal sealed class ConnectionRequest
{
    private readonly IHttpRequestLifetimeFeature? _lifetime;

    public ConnectionRequest(HttpContext context, Subprotocol subprotocol)
    {
        Subprotocol = subprotocol;
        RemoteAddress = AddressOf(context.Connection.RemoteIpAddress);
        User = context.User is { Identity.IsAuthenticated: true } user ? user : null;
        Aborted = context.RequestAborted;
        Closing = context.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        _lifetime = context.Features.Get<IHttpRequestLifetimeFeature>();
    }

    public Subprotocol Subprotocol { get; }

    public string RemoteAddress { get; }

    public ClaimsPrincipal? User { get; }

    /// <summary>The connection is lost.</summary>
    public CancellationToken Aborted { get; }

    /// <summary>The web server stops and asks connections to end.</summary>
    public CancellationToken Closing { get; }

    /// <summary>Drops the connection; only before the request has ended.</summary>
    public void Abort() => _lifetime?.Abort();

    private static string AddressOf(IPAddress? address) => address switch
    {
        null => "",
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
        _ => address.ToString(),
    };
}
