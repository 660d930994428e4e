using System.Buffers;
using System.Net;
using System.Net.WebSockets;
using Google.Protobuf;
using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>A WebSocket with subprotocol <c>im.v1.protobuf</c>: one packet a binary message.</summary>
internal sealed class WebSocketPacketStream(ClientWebSocket socket, int maxPacketBytes) : PacketStream
{
    public const string Subprotocol = "im.v1.protobuf";
    private const int ReadBytes = 16 * 1024;

    private readonly ArrayBufferWriter<byte> _incoming = new(ReadBytes);
    private readonly List<int> _ends = [];

    public override (ImCloseCode Code, string Reason)? CloseCode =>
        socket.CloseStatus is { } status && (int)status >= 3000 ? ((ImCloseCode)(int)status, socket.CloseStatusDescription ?? "") : null;

    public static new async Task<PacketStream> ConnectAsync(ImClientOptions options, Uri server, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.AddSubProtocol(Subprotocol);
            socket.Options.KeepAliveInterval = TimeSpan.Zero; // Our pings are packets.
            socket.Options.CollectHttpResponseDetails = true;
            options.ConfigureWebSocket?.Invoke(socket.Options);
            await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
            return socket.SubProtocol == Subprotocol
                ? new WebSocketPacketStream(socket, options.MaxPacketBytes)
                : throw new ProtocolException($"The endpoint does not speak the subprotocol {Subprotocol}.");
        }
        catch (WebSocketException e) when (socket.HttpStatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            var status = (int)socket.HttpStatusCode;
            socket.Dispose();
            throw new ImClientException(
                ImClientFailure.Refused, $"The endpoint refused the connection with HTTP status {status}; sign in to its host first.", e)
            {
                Code = ImErrorCode.BadToken,
                Reason = ImErrorCodes.GetName(ImErrorCode.BadToken),
            };
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public override async ValueTask<ServerPacket?> ReadAsync(CancellationToken cancellationToken)
    {
        _incoming.ResetWrittenCount();
        while (true)
        {
            var result = await socket.ReceiveAsync(_incoming.GetMemory(ReadBytes), cancellationToken).ConfigureAwait(false);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            _incoming.Advance(result.Count);
            if (result.MessageType == WebSocketMessageType.Text || _incoming.WrittenCount > maxPacketBytes)
            {
                throw new ProtocolException(result.MessageType == WebSocketMessageType.Text
                    ? "The server sent a text message where packets are binary."
                    : $"The server sent a packet of more than {maxPacketBytes} bytes.");
            }

            if (result.EndOfMessage)
            {
                return Parse(new ReadOnlySequence<byte>(_incoming.WrittenMemory));
            }
        }
    }

    public override void Append(ClientPacket packet)
    {
        packet.WriteTo(Outgoing);
        _ends.Add(Outgoing.WrittenCount);
    }

    public override async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var start = 0;
        foreach (var end in _ends)
        {
            await socket.SendAsync(Outgoing.WrittenMemory[start..end], WebSocketMessageType.Binary, true, cancellationToken).ConfigureAwait(false);
            start = end;
        }

        _ends.Clear();
        Outgoing.ResetWrittenCount();
    }

    public override async ValueTask LeaveAsync()
    {
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            try
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException)
            {
                // It is closed anyway.
            }
        }
    }

    public override ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
