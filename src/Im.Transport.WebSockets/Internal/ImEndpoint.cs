using System.Globalization;
using System.Net.Sockets;
using Im.Protocol;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace Im.Transport.WebSockets.Internal;

/// <summary>One HTTP request to the endpoint: refused with a status and a sentence, or made a connection.</summary>
internal sealed class ImEndpoint(WebSocketTransport transport)
{
    private const int RetryAfterSeconds = 5;
    private const string WebSocketVersion = "13";
    private readonly OriginPolicy _origins = new(transport.Options.AllowedOrigins);

    public async Task HandleAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.SecWebSocketVersion = WebSocketVersion;
            if (HttpProtocol.IsHttp11(context.Request.Protocol))
            {
                context.Response.Headers.Upgrade = "websocket";
            }

            await RefuseAsync(context, StatusCodes.Status426UpgradeRequired, "This endpoint takes WebSockets only.").ConfigureAwait(false);
        }
        else if (!_origins.Allows(context.Request))
        {
            await RefuseAsync(
                context,
                StatusCodes.Status403Forbidden,
                "Pages of this origin may not connect. The server's WebSocketTransportOptions.AllowedOrigins lists those that may.").ConfigureAwait(false);
        }
        else if (Subprotocol.Choose(context.WebSockets.WebSocketRequestedProtocols) is not { } subprotocol)
        {
            await RefuseAsync(
                context,
                StatusCodes.Status400BadRequest,
                $"Offer the subprotocol {Subprotocol.Protobuf.Name} or {Subprotocol.Json.Name} (Sec-WebSocket-Protocol).").ConfigureAwait(false);
        }
        else if (!transport.IsAccepting)
        {
            context.Response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
            await RefuseAsync(
                context, StatusCodes.Status503ServiceUnavailable, "The server is starting or stopping. Try again.").ConfigureAwait(false);
        }
        else
        {
            await ConnectAsync(context, subprotocol).ConfigureAwait(false);
        }
    }

    private async Task ConnectAsync(HttpContext context, Subprotocol subprotocol)
    {
        Prepare(context);

        // Not disposed: it holds nothing of its own, and disposing one whose close frame went past it resets the connection, which can take
        // our last bytes from the client. The web server ends the connection when the request ends.
        var socket = await context.WebSockets.AcceptWebSocketAsync(
            new WebSocketAcceptContext { SubProtocol = subprotocol.Name, KeepAliveInterval = TimeSpan.Zero }).ConfigureAwait(false);
        var stream = context.Features.Get<UpgradeFeatures>()?.Stream ?? throw new InvalidOperationException(
            "MapIm needs a web server that upgrades connections (Kestrel, IIS, HTTP.sys). With TestServer, run Kestrel on a free port instead: "
            + "builder.WebHost.UseKestrel().UseUrls(\"http://127.0.0.1:0\");");
        var connection = new WebSocketConnection(transport, new ConnectionRequest(context, subprotocol), socket, stream);
        if (!await transport.TryRunAsync(connection).ConfigureAwait(false))
        {
            await stream.WriteCloseFrameAsync(Frames.Close((int)ImCloseCode.Shutdown, "The server is shutting down.")).ConfigureAwait(false);
        }
    }

    private void Prepare(HttpContext context)
    {
        // How slow a client may be is the core's decision (its queue's limit), not a data rate.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        if (transport.Options.SocketSendBufferBytes is { } bytes
            && context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
            && context.Features.Get<IConnectionSocketFeature>() is { } connection)
        {
            try
            {
                connection.Socket.SendBufferSize = bytes;
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // The client has gone already; the upgrade finds out.
            }
        }
    }

    private Task RefuseAsync(HttpContext context, int statusCode, string reason)
    {
        Log.Refused(transport.Logger, context.Connection.RemoteIpAddress?.ToString(), statusCode, reason);
        context.Response.StatusCode = statusCode;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(reason + "\n");
    }
}
