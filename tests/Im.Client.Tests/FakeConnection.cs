using System.Net.Sockets;
using System.Net.WebSockets;
using Google.Protobuf;
using Im.Protocol;

namespace Im.Client.Tests;

/// <summary>The server's end of one connection.</summary>
internal sealed class FakeConnection(NetworkStream stream, WebSocket? socket) : IDisposable
{
    private readonly SemaphoreSlim _sending = new(1);
    private readonly byte[] _buffer = new byte[1 << 20];

    public NetworkStream Stream => stream;

    public WebSocketCloseStatus? ReceivedCloseStatus => socket?.CloseStatus;

    /// <summary>The next packet that is no ping; null at the end of the connection.</summary>
    public async Task<ClientPacket?> ReadAsync()
    {
        while (true)
        {
            var packet = await ReadAnyAsync().WaitAsync(Wait.Limit);
            if (packet?.PacketCase != ClientPacket.PacketOneofCase.Ping)
            {
                return packet;
            }
        }
    }

    public async Task<ClientPacket?> ReadAnyAsync()
    {
        try
        {
            if (socket is not null)
            {
                var result = await socket.ReceiveAsync(_buffer, CancellationToken.None);
                Assert.True(result.EndOfMessage);
                return result.MessageType == WebSocketMessageType.Close ? null : ClientPacket.Parser.ParseFrom(_buffer, 0, result.Count);
            }

            var length = 0;
            for (var shift = 0; ; shift += 7)
            {
                if (await stream.ReadAsync(_buffer.AsMemory(0, 1)) == 0)
                {
                    return null;
                }

                length |= (_buffer[0] & 0x7F) << shift;
                if ((_buffer[0] & 0x80) == 0)
                {
                    break;
                }
            }

            await stream.ReadExactlyAsync(_buffer.AsMemory(0, length));
            return ClientPacket.Parser.ParseFrom(_buffer, 0, length);
        }
        catch (Exception e) when (e is IOException or WebSocketException or ObjectDisposedException)
        {
            return null;
        }
    }

    public async Task SendAsync(params ServerPacket[] packets)
    {
        foreach (var packet in packets)
        {
            if (socket is not null)
            {
                await socket.SendAsync(packet.ToByteArray(), WebSocketMessageType.Binary, true, CancellationToken.None);
                continue;
            }

            using var bytes = new MemoryStream();
            packet.WriteDelimitedTo(bytes);
            await _sending.WaitAsync();
            try
            {
                await stream.WriteAsync(bytes.ToArray()).AsTask().WaitAsync(Wait.Limit);
            }
            finally
            {
                _sending.Release();
            }
        }
    }

    /// <summary>Reads the sign-in and accepts it.</summary>
    public async Task<SignIn> SignInAsync(Action<SignedIn>? change = null)
    {
        var packet = await ReadAsync();
        Assert.Equal(ClientPacket.PacketOneofCase.SignIn, packet?.PacketCase);
        var signedIn = new SignedIn
        {
            UserId = "alice",
            DeviceId = packet!.SignIn.DeviceId,
            ConnectionId = "c",
            Generation = "g1",
            IdleTimeoutMs = 60_000,
            MaxFrameBytes = 100_000,
        };
        change?.Invoke(signedIn);
        await SendAsync(new ServerPacket { RequestId = packet.RequestId, SignedIn = signedIn });
        return packet.SignIn;
    }

    public async Task<(uint RequestId, Send Send)> ReadSendAsync()
    {
        while (true)
        {
            var packet = await ReadAsync();
            if (packet?.PacketCase != ClientPacket.PacketOneofCase.DeviceAck)
            {
                Assert.Equal(ClientPacket.PacketOneofCase.Send, packet?.PacketCase);
                return (packet!.RequestId, packet.Send);
            }
        }
    }

    public async Task<DeviceAck> ReadDeviceAckAsync()
    {
        var packet = await ReadAsync();
        Assert.Equal(ClientPacket.PacketOneofCase.DeviceAck, packet?.PacketCase);
        return packet!.DeviceAck;
    }

    public Task AckAsync(uint requestId, long seq, SendResult result = SendResult.Stored) => SendAsync(new ServerPacket
    {
        RequestId = requestId,
        SendAck = new SendAck { Result = result, ConversationId = "d", ConversationSeq = seq, TimeMs = 1000 + seq },
    });

    public Task ErrorAsync(uint requestId, ImErrorCode code) => SendAsync(new ServerPacket
    {
        RequestId = requestId,
        Error = new Error { Code = (int)code, Reason = ImErrorCodes.GetName(code), Message = "no" },
    });

    public Task CloseAsync(ImCloseCode code, int reconnectAfterMs = 0) =>
        SendAsync(new ServerPacket { Close = new Close { Code = (int)code, ReconnectAfterMs = reconnectAfterMs } });

    public Task CloseFrameAsync(WebSocketCloseStatus status) => socket!.CloseOutputAsync(status, "", CancellationToken.None);

    public Task SendTextAsync(string text) =>
        socket!.SendAsync(System.Text.Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None);

    /// <summary>The other side closed, or cut, the connection.</summary>
    public async Task AssertClosedAsync()
    {
        while (await ReadAsync() is not null)
        {
        }
    }

    public void Cut()
    {
        stream.Socket.LingerState = new LingerOption(true, 0);
        stream.Dispose();
    }

    public void Dispose()
    {
        socket?.Dispose();
        stream.Dispose();
    }
}
