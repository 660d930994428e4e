using Microsoft.AspNetCore.Http.Features;

namespace Im.Transport.WebSockets.Internal;

/// <summary>
/// Stands in front of the web server's upgrade (HTTP/1.1) or extended CONNECT (HTTP/2) of one request, so that ASP.NET Core does the
/// WebSocket handshake and we still get hold of the connection's stream.
/// </summary>
internal sealed class UpgradeFeatures(IHttpUpgradeFeature? upgrade, IHttpExtendedConnectFeature? connect)
    : IHttpUpgradeFeature, IHttpExtendedConnectFeature
{
    /// <summary>The upgraded connection, after the handshake.</summary>
    public FrameStream? Stream { get; private set; }

    public bool IsUpgradableRequest => upgrade is { IsUpgradableRequest: true };

    public bool IsExtendedConnect => connect is { IsExtendedConnect: true };

    public string? Protocol => connect?.Protocol;

    /// <summary>Puts itself in the place of both features, and makes the WebSocket middleware that runs next look at them.</summary>
    public static void Install(IFeatureCollection features)
    {
        var upgrade = features.Get<IHttpUpgradeFeature>();
        var connect = features.Get<IHttpExtendedConnectFeature>();
        if (upgrade is null && connect is null)
        {
            return;
        }

        var both = new UpgradeFeatures(upgrade, connect);
        features.Set(both);
        features.Set<IHttpUpgradeFeature>(both);
        features.Set<IHttpExtendedConnectFeature>(both);

        // Left by app.UseWebSockets() of the host: it would upgrade past us.
        features.Set<IHttpWebSocketFeature>(null);
    }

    public async Task<Stream> UpgradeAsync() => Stream = new FrameStream(await upgrade!.UpgradeAsync().ConfigureAwait(false));

    public async ValueTask<Stream> AcceptAsync() => Stream = new FrameStream(await connect!.AcceptAsync().ConfigureAwait(false));
}
