using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Im.Protocol;

namespace Im.IntegrationTests.Support;

/// <summary>A bare WebSocket client over its own socket, so that it can also send what no WebSocket library would.</summary>
internal sealed class WebSocketWireClient : IWireClient
{
    private const byte FinText = 0x81;
    private const byte FinBinary = 0x82;
    private const byte OpcodeClose = 0x8;
    private const byte OpcodePing = 0x9;
    private const byte OpcodePong = 0xA;

    private static readonly byte[] Mask = [0x11, 0x22, 0x33, 0x44];

    private readonly Socket _socket;
    private readonly ImCodec _codec;
    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private uint _lastRequestId;

    private WebSocketWireClient(Socket socket, ImCodec codec)
    {
        _socket = socket;
        _codec = codec;
    }

    public int? CloseFrameCode { get; private set; }

    public static async Task<WebSocketWireClient> ConnectAsync(Uri uri, ImCodec codec, int receiveBufferBytes = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBufferBytes > 0)
        {
            socket.ReceiveBufferSize = receiveBufferBytes;
        }

        await socket.ConnectAsync(IPAddress.Parse(uri.Host), uri.Port).WaitAsync(WireClient.Patience);
        var client = new WebSocketWireClient(socket, codec);
        await client.UpgradeAsync(uri);
        return client;
    }

    public async Task<uint> WriteAsync(ClientPacket packet)
    {
        if (packet.RequestId == 0)
        {
            packet.RequestId = ++_lastRequestId;
        }

        await WritePacketAsync(PacketCodec.Write(packet, _codec));
        return packet.RequestId;
    }

    public Task WritePacketAsync(byte[] packet) => WriteBytesAsync(ToFrame(packet));

    public async Task WriteBytesAsync(byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length;)
        {
            sent += await _socket.SendAsync(bytes.AsMemory(sent)).AsTask().WaitAsync(WireClient.Patience);
        }
    }

    public byte[] ToFrame(byte[] packet) => Frame(_codec == ImCodec.Json ? FinText : FinBinary, packet);

    /// <summary>A masked frame with any first byte.</summary>
    public static byte[] Frame(byte first, byte[] payload)
    {
        var header = Header(first, payload.Length);
        var frame = new byte[header.Length + payload.Length];
        header.CopyTo(frame, 0);
        for (var i = 0; i < payload.Length; i++)
        {
            frame[header.Length + i] = (byte)(payload[i] ^ Mask[i % 4]);
        }

        return frame;
    }

    /// <summary>The header of a masked frame that claims a length, negative ones too.</summary>
    public static byte[] Header(byte first, long length)
    {
        byte[] header = length switch
        {
            >= 0 and <= 125 => [first, (byte)(0x80 | length)],
            > 125 and <= ushort.MaxValue => [first, 0x80 | 126, 0, 0],
            _ => [first, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0],
        };
        if (header.Length == 4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)length);
        }
        else if (header.Length == 10)
        {
            BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(2), length);
        }

        return [.. header, .. Mask];
    }

    public async Task<ServerPacket?> TryReadAsync()
    {
        while (CloseFrameCode is null)
        {
            if (await TryReadFrameAsync() is not var (opcode, payload))
            {
                return null;
            }

            if (opcode == OpcodeClose)
            {
                CloseFrameCode = payload.Length < 2 ? 1005 : BinaryPrimitives.ReadUInt16BigEndian(payload);
                await AnswerCloseAsync(payload);
            }
            else if (opcode is not OpcodePing and not OpcodePong)
            {
                Assert.True(
                    PacketCodec.TryReadServerPacket(new ReadOnlySequence<byte>(payload), _codec, out var packet, out var problem),
                    $"{problem}: {Encoding.UTF8.GetString(payload)}");
                return packet;
            }
        }

        return null;
    }

    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task UpgradeAsync(Uri uri)
    {
        await WriteBytesAsync(Encoding.ASCII.GetBytes(
            $"GET {uri.AbsolutePath} HTTP/1.1\r\nHost: {uri.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + $"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: im.v1.{(_codec == ImCodec.Json ? "json" : "protobuf")}\r\n\r\n"));
        int end;
        while ((end = _buffer.AsSpan(0, _end).IndexOf("\r\n\r\n"u8)) < 0)
        {
            Assert.True(await FillAsync(), "The server closed instead of upgrading.");
        }

        var answer = Encoding.ASCII.GetString(_buffer, 0, end);
        Assert.True(answer.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal), answer);
        _start = end + 4;
    }

    // The server waits for the client's close frame; it may be gone already.
    private async Task AnswerCloseAsync(byte[] payload)
    {
        try
        {
            await WriteBytesAsync(Frame(0x88, payload[..Math.Min(2, payload.Length)]));
        }
        catch (SocketException)
        {
        }
    }

    private async Task<(byte Opcode, byte[] Payload)?> TryReadFrameAsync()
    {
        while (true)
        {
            if (TryTakeFrame(out var opcode, out var payload))
            {
                return (opcode, payload);
            }

            if (!await FillAsync())
            {
                return null;
            }
        }
    }

    private bool TryTakeFrame(out byte opcode, out byte[] payload)
    {
        (opcode, payload) = (0, []);
        var received = _buffer.AsSpan(_start, _end - _start);
        if (received.Length < 2)
        {
            return false;
        }

        var header = received[1] switch { 127 => 10, 126 => 4, _ => 2 };
        if (received.Length < header)
        {
            return false;
        }

        var length = header switch
        {
            10 => checked((int)BinaryPrimitives.ReadInt64BigEndian(received[2..])),
            4 => BinaryPrimitives.ReadUInt16BigEndian(received[2..]),
            _ => received[1],
        };
        if (received.Length < header + length)
        {
            return false;
        }

        opcode = (byte)(received[0] & 0x0F);
        payload = received.Slice(header, length).ToArray();
        _start += header + length;
        return true;
    }

    private async Task<bool> FillAsync()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        if (_buffer.Length == _end)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        try
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(_end)).AsTask().WaitAsync(WireClient.Patience);
            _end += read;
            return read > 0;
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
            return false;
        }
    }
}
