using System.Net;
using System.Net.Sockets;
using System.Text;
using Im.LoadGenerator.Wire;
using Im.Protocol;

namespace Im.LoadGenerator.Tests.Support;

/// <summary>A server for one client that answers what the test says, cut into small pieces of random lengths.</summary>
internal sealed class FakeServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TransportKind _transport;
    private readonly Random _random;
    private readonly Func<ClientPacket, IEnumerable<ServerPacket>> _answer;
    private int _answered;

    public FakeServer(TransportKind transport, int seed, Func<ClientPacket, IEnumerable<ServerPacket>> answer)
    {
        _transport = transport;
        _random = new Random(seed);
        _answer = answer;
        _listener.Start();
        _ = ServeAsync();
    }

    /// <summary>How many packets of the client have been answered.</summary>
    public int Answered => Volatile.Read(ref _answered);

    public string Address =>
        (_transport == TransportKind.Tcp ? "" : "ws://") + _listener.LocalEndpoint + (_transport == TransportKind.Tcp ? "" : "/im");

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            using var client = await _listener.AcceptTcpClientAsync();
            client.NoDelay = true;
            await using var stream = client.GetStream();
            if (_transport != TransportKind.Tcp)
            {
                await ReadUpgradeAsync(stream);
                await stream.WriteAsync("HTTP/1.1 101 Switching Protocols\r\n\r\n"u8.ToArray());
            }

            while (await ReadPacketAsync(stream) is { } packet)
            {
                await WriteAsync(stream, [.. _answer(packet).SelectMany(ToFrame)]);
                Interlocked.Increment(ref _answered);
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
        {
            // The client left.
        }
    }

    private async Task WriteAsync(NetworkStream stream, byte[] bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(bytes.Length - at, _random.Next(1, 80));
            await stream.WriteAsync(bytes.AsMemory(at, length));
            at += length;
            await Task.Yield();
        }
    }

    private byte[] ToFrame(ServerPacket packet)
    {
        var bytes = PacketCodec.Write(packet, _transport == TransportKind.WsJson ? ImCodec.Json : ImCodec.Protobuf);
        if (_transport == TransportKind.Tcp)
        {
            var frame = new byte[PacketFraming.PrefixBytes(bytes.Length) + bytes.Length];
            bytes.CopyTo(frame, PacketFraming.WritePrefix(frame, bytes.Length));
            return frame;
        }

        byte opcode = _transport == TransportKind.Ws ? (byte)0x82 : (byte)0x81;
        return bytes.Length < 126
            ? [opcode, (byte)bytes.Length, .. bytes]
            : [opcode, 126, (byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];
    }

    private async Task<ClientPacket?> ReadPacketAsync(NetworkStream stream)
    {
        int length;
        if (_transport == TransportKind.Tcp)
        {
            length = 0;
            for (var shift = 0; ; shift += 7)
            {
                var next = await ReadAsync(stream, 1);
                length |= (next[0] & 0x7F) << shift;
                if (next[0] < 0x80)
                {
                    break;
                }
            }
        }
        else
        {
            var head = await ReadAsync(stream, 2);
            length = head[1] & 0x7F;
            if (length == 126)
            {
                var two = await ReadAsync(stream, 2);
                length = (two[0] << 8) | two[1];
            }

            Assert.Equal(new byte[4], await ReadAsync(stream, 4)); // the mask
        }

        var bytes = await ReadAsync(stream, length);
        var codec = _transport == TransportKind.WsJson ? ImCodec.Json : ImCodec.Protobuf;
        Assert.True(PacketCodec.TryReadClientPacket(new(bytes), codec, out var packet, out var problem), problem);
        return packet;
    }

    private static async Task<byte[]> ReadAsync(NetworkStream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes);
        return bytes;
    }

    private static async Task ReadUpgradeAsync(NetworkStream stream)
    {
        var request = new StringBuilder();
        while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            request.Append((char)(await ReadAsync(stream, 1))[0]);
        }

        Assert.Contains("Sec-WebSocket-Protocol: im.v1.", request.ToString(), StringComparison.Ordinal);
    }
}
