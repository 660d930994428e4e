using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Im.Protocol;

namespace Im.IntegrationTests.Support;

/// <summary>A bare TCP client: writes packets, reads packets, knows nothing. Every wait ends after <see cref="Patience"/>.</summary>
internal sealed class WireClient : IWireClient
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly TcpClient _client;
    private readonly NetworkStream _stream;
    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private uint _lastRequestId;

    private WireClient(TcpClient client)
    {
        _client = client;
        _stream = client.GetStream();
    }

    /// <summary>TCP has only the Close packet.</summary>
    public int? CloseFrameCode => null;

    public static async Task<WireClient> ConnectAsync(IPEndPoint endpoint, int receiveBufferBytes = 0)
    {
        var client = new TcpClient { NoDelay = true };
        if (receiveBufferBytes > 0)
        {
            client.ReceiveBufferSize = receiveBufferBytes;
        }

        await client.ConnectAsync(endpoint).WaitAsync(Patience);
        return new WireClient(client);
    }

    public static async Task<(WireClient Client, SignedIn SignedIn)> SignInAsync(IPEndPoint endpoint, string user, string device = "d1", SignIn? signIn = null)
    {
        var client = await ConnectAsync(endpoint);
        signIn ??= new SignIn();
        signIn.Token = user;
        signIn.DeviceId = device;
        await client.WriteAsync(new ClientPacket { SignIn = signIn });
        var reply = await client.ReadAsync();
        return reply.SignedIn is { } signedIn
            ? (client, signedIn)
            : throw new InvalidOperationException($"Sign-in of {user} was answered with {reply}.");
    }

    public async Task<uint> WriteAsync(ClientPacket packet)
    {
        if (packet.RequestId == 0)
        {
            packet.RequestId = ++_lastRequestId;
        }

        await WritePacketAsync(packet.ToByteArray());
        return packet.RequestId;
    }

    public Task WritePacketAsync(byte[] packet) => WriteBytesAsync(Frame(packet));

    public Task WriteBytesAsync(byte[] bytes) => _stream.WriteAsync(bytes).AsTask().WaitAsync(Patience);

    public static byte[] Frame(byte[] packet)
    {
        var frame = new byte[PacketFraming.PrefixBytes(packet.Length) + packet.Length];
        var prefix = PacketFraming.WritePrefix(frame, packet.Length);
        packet.CopyTo(frame, prefix);
        return frame;
    }

    public byte[] ToFrame(byte[] packet) => Frame(packet);

    public void Reset()
    {
        _client.Client.LingerState = new LingerOption(true, 0);
        _client.Dispose();
    }

    /// <summary>The next packet; <see cref="EndOfStreamException"/> if the server has closed.</summary>
    public async Task<ServerPacket> ReadAsync() =>
        await TryReadAsync() ?? throw new EndOfStreamException("The server closed the connection.");

    /// <summary>The next packet, or null if the server has closed.</summary>
    public async Task<ServerPacket?> TryReadAsync()
    {
        while (true)
        {
            var sequence = new ReadOnlySequence<byte>(_buffer, _start, _end - _start);
            if (PacketFraming.TryRead(ref sequence, int.MaxValue, out var packet, out var missing) == FrameStatus.Packet)
            {
                _start = _end - (int)sequence.Length;
                return ServerPacket.Parser.ParseFrom(packet);
            }

            Compact(missing);
            if (await ReceiveAsync() is var read && read == 0)
            {
                return null;
            }

            _end += read;
        }
    }

    /// <summary>The first packet of a kind, passing over others.</summary>
    public async Task<ServerPacket> ReadUntilAsync(ServerPacket.PacketOneofCase kind)
    {
        while (true)
        {
            var packet = await ReadAsync();
            if (packet.PacketCase == kind)
            {
                return packet;
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    // A reset is an end, too: the server closes a socket on which the client still writes.
    private async Task<int> ReceiveAsync()
    {
        try
        {
            return await _stream.ReadAsync(_buffer.AsMemory(_end)).AsTask().WaitAsync(Patience);
        }
        catch (IOException exception) when (exception.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            return 0;
        }
    }

    private void Compact(int missing)
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        if (_buffer.Length - _end < missing)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _end + missing));
        }
    }
}
