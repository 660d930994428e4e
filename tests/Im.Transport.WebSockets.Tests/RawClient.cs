using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Im.Transport.WebSockets.Tests;

/// <summary>A WebSocket client that sends whatever bytes a test wants.</summary>
internal sealed class RawClient(Socket socket) : IDisposable
{
    private static readonly byte[] Mask = [0x11, 0x22, 0x33, 0x44];

    public Socket Socket { get; } = socket;

    public static async Task<RawClient> ConnectAsync(LiveServer server, string subprotocol, int receiveBuffer = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer > 0)
        {
            socket.ReceiveBufferSize = receiveBuffer;
        }

        await socket.ConnectAsync(IPAddress.Loopback, server.Http.Port).InTime();
        var client = new RawClient(socket);
        await client.SendAsync(Encoding.ASCII.GetBytes(
            "GET /im HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + $"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {subprotocol}\r\n\r\n"));
        var answer = "";
        while (!answer.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            answer += Encoding.ASCII.GetString(await client.ReceiveExactlyAsync(1));
        }

        Assert.StartsWith("HTTP/1.1 101 ", answer, StringComparison.Ordinal);
        return client;
    }

    /// <summary>A masked frame with any first byte.</summary>
    public static byte[] Frame(int first, ReadOnlySpan<byte> payload)
    {
        using var frame = new MemoryStream();
        frame.WriteByte((byte)first);
        if (payload.Length <= 125)
        {
            frame.WriteByte((byte)(0x80 | payload.Length));
        }
        else if (payload.Length <= ushort.MaxValue)
        {
            Span<byte> length = stackalloc byte[2];
            BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)payload.Length);
            frame.WriteByte(0x80 | 126);
            frame.Write(length);
        }
        else
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64BigEndian(length, (ulong)payload.Length);
            frame.WriteByte(0x80 | 127);
            frame.Write(length);
        }

        frame.Write(Mask);
        for (var i = 0; i < payload.Length; i++)
        {
            frame.WriteByte((byte)(payload[i] ^ Mask[i % 4]));
        }

        return frame.ToArray();
    }

    public async Task SendAsync(byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length;)
        {
            sent += await Socket.SendAsync(bytes.AsMemory(sent)).AsTask().InTime();
        }
    }

    public async Task<string> ReceiveTextAsync()
    {
        var (first, payload) = await ReceiveFrameAsync();
        Assert.Equal(0x81, first);
        return Encoding.UTF8.GetString(payload);
    }

    public async Task<int> ReceiveCloseAsync()
    {
        var (first, payload) = await ReceiveFrameAsync();
        Assert.Equal(0x88, first);
        return payload.Length < 2 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(payload);
    }

    public async Task<(int First, byte[] Payload)> ReceiveFrameAsync()
    {
        var header = await ReceiveExactlyAsync(2);
        int length = header[1];
        if (length == 126)
        {
            length = BinaryPrimitives.ReadUInt16BigEndian(await ReceiveExactlyAsync(2));
        }
        else if (length == 127)
        {
            length = checked((int)BinaryPrimitives.ReadUInt64BigEndian(await ReceiveExactlyAsync(8)));
        }

        return (header[0], await ReceiveExactlyAsync(length));
    }

    /// <summary>The server has closed the socket.</summary>
    public async Task ReceiveEndAsync()
    {
        try
        {
            Assert.Equal(0, await Socket.ReceiveAsync(new byte[1]).InTime());
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
            // The other way to end.
        }
    }

    public void Dispose() => Socket.Dispose();

    private async Task<byte[]> ReceiveExactlyAsync(int count)
    {
        var bytes = new byte[count];
        for (var received = 0; received < count;)
        {
            var now = await Socket.ReceiveAsync(bytes.AsMemory(received)).AsTask().InTime();
            Assert.NotEqual(0, now);
            received += now;
        }

        return bytes;
    }
}
