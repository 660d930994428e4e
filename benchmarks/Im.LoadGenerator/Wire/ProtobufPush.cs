using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Im.LoadGenerator.Wire;

/// <summary>Reads pushes in protobuf without making objects.</summary>
/// <remarks>
/// <code>
/// packet   5A len { 08 seq | 12 len id 18 seq } { 22 len entry }*
/// entry    0A len id, 10 seq, …, content with the text as the last field, whose last 16 bytes are run and number
/// </code>
/// </remarks>
internal static class ProtobufPush
{
    private const byte ServerPacketPush = (11 << 3) | 2;
    private const byte FirstInboxSeq = 1 << 3;
    private const byte ConversationId = (2 << 3) | 2;
    private const byte FirstConversationSeq = 3 << 3;
    private const byte Entries = (4 << 3) | 2;
    private const byte EntryConversationId = (1 << 3) | 2;
    private const byte EntryConversationSeq = 2 << 3;

    /// <param name="available">What is there of the packet.</param>
    /// <param name="packetBytes">How long it is.</param>
    /// <param name="head">The fields before the entries.</param>
    public static HeadStatus TryReadHead(ReadOnlySpan<byte> available, int packetBytes, out PushHead head)
    {
        head = default;
        var more = available.Length < packetBytes ? HeadStatus.Incomplete : HeadStatus.Other;
        if (available.IsEmpty)
        {
            return more;
        }

        var at = 1;
        if (available[0] != ServerPacketPush)
        {
            return HeadStatus.Other;
        }

        if (!Varint.TryRead(available, ref at, out _))
        {
            return more;
        }

        while (at < available.Length)
        {
            ulong value;
            switch (available[at++])
            {
                case FirstInboxSeq or FirstConversationSeq:
                    if (!Varint.TryRead(available, ref at, out value))
                    {
                        return more;
                    }

                    head.First = (long)value;
                    break;
                case ConversationId:
                    if (!Varint.TryRead(available, ref at, out value) || available.Length - at < (int)value)
                    {
                        return more;
                    }

                    head.Conversation = available.Slice(at, (int)value);
                    at += (int)value;
                    break;
                case Entries when head.First > 0:
                    head.Bytes = at - 1;
                    return HeadStatus.Push;
                default:
                    return HeadStatus.Other;
            }
        }

        return more;
    }

    /// <summary>Reads one entry and returns its bytes with its tag and length; 0 = more are needed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ReadEntry(ReadOnlySpan<byte> data, ref EntryView entry)
    {
        if (data.IsEmpty)
        {
            return 0;
        }

        if (data[0] != Entries)
        {
            throw new InvalidDataException($"A push has a field {data[0] >> 3} among its entries.");
        }

        var at = 1;
        if (!Varint.TryRead(data, ref at, out var length) || data.Length - at < (int)length)
        {
            return 0;
        }

        var bytes = data.Slice(at, (int)length);
        var field = 1;
        if (bytes.IsEmpty || bytes[0] != EntryConversationId || !Varint.TryRead(bytes, ref field, out var idBytes)
            || field + (int)idBytes >= bytes.Length)
        {
            throw new InvalidDataException("An entry does not begin with its conversation.");
        }

        entry.Conversation = bytes.Slice(field, (int)idBytes);
        field += (int)idBytes;
        if (bytes[field++] != EntryConversationSeq || !Varint.TryRead(bytes, ref field, out var seq))
        {
            throw new InvalidDataException("An entry's conversation is not followed by its seq.");
        }

        entry.Seq = (long)seq;
        entry.Bytes = bytes;

        // An entry without a body may be shorter than a stamp.
        var hasStamp = bytes.Length >= Stamp.Bytes;
        entry.Run = hasStamp ? MemoryMarshal.Read<ulong>(bytes[^16..]) : 0;
        entry.Number = hasStamp ? MemoryMarshal.Read<ulong>(bytes[^8..]) : 0;
        return at + (int)length;
    }
}
