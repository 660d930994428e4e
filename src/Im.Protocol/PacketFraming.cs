using System.Buffers;

namespace Im.Protocol;

/// <summary>What <see cref="PacketFraming.TryRead"/> found.</summary>
public enum FrameStatus
{
    /// <summary>A whole packet.</summary>
    Packet,

    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>The length is over the limit, negative or no varint of 32 bits: the stream cannot be read on.</summary>
    TooLarge,
}

/// <summary>TCP framing: each packet is preceded by its length as an unsigned varint.</summary>
public static class PacketFraming
{
    /// <summary>The longest length prefix in bytes.</summary>
    public const int MaxPrefixBytes = 5;

    /// <summary>How many bytes <see cref="WritePrefix"/> writes.</summary>
    public static int PrefixBytes(int packetBytes)
    {
        var bytes = 1;
        for (var rest = (uint)packetBytes >> 7; rest != 0; rest >>= 7)
        {
            bytes++;
        }

        return bytes;
    }

    /// <summary>Writes the length prefix and returns its size.</summary>
    public static int WritePrefix(Span<byte> destination, int packetBytes)
    {
        var position = 0;
        var rest = (uint)packetBytes;
        while (rest >= 0x80)
        {
            destination[position++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        destination[position++] = (byte)rest;
        return position;
    }

    /// <summary>
    /// Takes the next packet off <paramref name="buffer"/>, in place. The length is checked before the packet's bytes are waited for.
    /// A length may be padded to <see cref="MaxPrefixBytes"/>, for writers that reserve its place; a longer prefix is refused.
    /// </summary>
    /// <param name="buffer">What was received; moved past the packet when there is one, else left as it was.</param>
    /// <param name="maxPacketBytes">The limit.</param>
    /// <param name="packet">The packet's bytes, inside the buffer.</param>
    /// <param name="missingBytes">How many more bytes are at least needed.</param>
    public static FrameStatus TryRead(
        ref ReadOnlySequence<byte> buffer, int maxPacketBytes, out ReadOnlySequence<byte> packet, out int missingBytes)
    {
        packet = default;
        missingBytes = 0;
        var reader = new SequenceReader<byte>(buffer);
        ulong length = 0;
        for (var shift = 0; ; shift += 7)
        {
            if (!reader.TryRead(out var next))
            {
                missingBytes = 1;
                return FrameStatus.Incomplete;
            }

            length |= (ulong)(next & 0x7F) << shift;
            if (length > (ulong)maxPacketBytes || (shift == 7 * (MaxPrefixBytes - 1) && (next & 0x80) != 0))
            {
                return FrameStatus.TooLarge;
            }

            if ((next & 0x80) == 0)
            {
                break;
            }
        }

        if (reader.Remaining < (long)length)
        {
            missingBytes = (int)((long)length - reader.Remaining);
            return FrameStatus.Incomplete;
        }

        packet = reader.UnreadSequence.Slice(0, (long)length);
        buffer = buffer.Slice(packet.End);
        return FrameStatus.Packet;
    }
}
