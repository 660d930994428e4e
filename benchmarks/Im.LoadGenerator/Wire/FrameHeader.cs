using System.Buffers.Binary;
using Im.Protocol;

namespace Im.LoadGenerator.Wire;

/// <summary>The header in front of each packet, of TCP or of WebSocket.</summary>
internal readonly record struct FrameHeader(int Bytes, int PayloadBytes, int Opcode)
{
    public const int Continuation = 0x0;
    public const int Text = 0x1;
    public const int Binary = 0x2;
    public const int Close = 0x8;
    public const int Ping = 0x9;
    public const int Pong = 0xA;

    /// <summary>False: more bytes are needed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> data, TransportKind transport, out FrameHeader header) =>
        transport == TransportKind.Tcp ? TryReadTcp(data, out header) : TryReadWebSocket(data, out header);

    /// <summary>A packet of a client in its frame.</summary>
    public static byte[] Wrap(ReadOnlySpan<byte> packet, TransportKind transport) => transport switch
    {
        TransportKind.Tcp => WrapTcp(packet),
        TransportKind.Ws => WrapWebSocket(packet, Binary),
        _ => WrapWebSocket(packet, Text),
    };

    // Clients must mask; a key of zero changes nothing here and is the same work for the server.
    public static byte[] WrapWebSocket(ReadOnlySpan<byte> payload, int opcode)
    {
        var isShort = payload.Length < 126;
        if (payload.Length > ushort.MaxValue)
        {
            throw new UsageException($"A packet of {payload.Length} bytes is over what this generator sends; use smaller bodies.");
        }

        var frame = new byte[(isShort ? 6 : 8) + payload.Length];
        frame[0] = (byte)(0x80 | opcode);
        frame[1] = (byte)(0x80 | (isShort ? payload.Length : 126));
        if (!isShort)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
        }

        payload.CopyTo(frame.AsSpan(frame.Length - payload.Length));
        return frame;
    }

    private static byte[] WrapTcp(ReadOnlySpan<byte> packet)
    {
        var frame = new byte[PacketFraming.PrefixBytes(packet.Length) + packet.Length];
        packet.CopyTo(frame.AsSpan(PacketFraming.WritePrefix(frame, packet.Length)));
        return frame;
    }

    private static bool TryReadTcp(ReadOnlySpan<byte> data, out FrameHeader header)
    {
        var at = 0;
        var found = Varint.TryRead(data, ref at, out var length);
        header = new FrameHeader(at, (int)length, Binary);
        return found;
    }

    private static bool TryReadWebSocket(ReadOnlySpan<byte> data, out FrameHeader header)
    {
        header = default;
        if (data.Length < 2)
        {
            return false;
        }

        var length = data[1] & 0x7F;
        var headerBytes = length switch { 126 => 4, 127 => 10, _ => 2 };
        if (data.Length < headerBytes)
        {
            return false;
        }

        var payload = length switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(data[2..]),
            127 => checked((int)BinaryPrimitives.ReadInt64BigEndian(data[2..])),
            _ => length,
        };
        header = new FrameHeader(headerBytes, payload, data[0] & 0x0F);
        if ((data[0] & 0x80) == 0 || header.Opcode == Continuation)
        {
            throw new InvalidDataException("The server sent a fragmented WebSocket message; this generator reads whole ones.");
        }

        return true;
    }
}
