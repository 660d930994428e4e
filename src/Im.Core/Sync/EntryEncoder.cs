using System.Text;
using Im.Protocol;
using Im.Storage;

namespace Im.Sync;

/// <summary>Writes stored entries as <c>im.v1.Entry</c> without making an object for each: header fields, then the body's bytes as they are stored.</summary>
internal static class EntryEncoder
{
    // Field numbers and wire types of im.proto, as tags of one byte.
    private const byte PushEntries = (4 << 3) | 2;
    private const byte ConversationId = (1 << 3) | 2;
    private const byte ConversationSeq = 2 << 3;
    private const byte Ordinal = 3 << 3;
    private const byte SenderId = (4 << 3) | 2;
    private const byte SenderDeviceId = (5 << 3) | 2;
    private const byte ClientMessageId = (6 << 3) | 2;
    private const byte TimeMs = 7 << 3;
    private const byte Gone = 8 << 3;

    /// <summary>The size of an entry as an element of <c>Push.entries</c>.</summary>
    public static int MeasureInPush(StoredEntry entry)
    {
        var size = Measure(entry);
        return 1 + PacketFraming.PrefixBytes(size) + size;
    }

    /// <summary>Writes an entry as an element of <c>Push.entries</c> and returns its size.</summary>
    public static int WriteInPush(Span<byte> destination, StoredEntry entry)
    {
        var size = Measure(entry);
        destination[0] = PushEntries;
        var position = 1 + PacketFraming.WritePrefix(destination[1..], size);
        Write(destination.Slice(position, size), entry);
        return position + size;
    }

    /// <summary>The entry inside what <see cref="WriteInPush"/> wrote.</summary>
    public static ReadOnlySpan<byte> Unframe(ReadOnlySpan<byte> element)
    {
        var prefix = 1;
        while ((element[prefix] & 0x80) != 0)
        {
            prefix++;
        }

        return element[(prefix + 1)..];
    }

    /// <summary>Where the element ends that begins at <paramref name="start"/>; null where there is none.</summary>
    public static int? FindEnd(ReadOnlySpan<byte> elements, int start)
    {
        if (start >= elements.Length || elements[start] != PushEntries)
        {
            return null;
        }

        var length = 0L;
        for (var (position, shift) = (start + 1, 0); position < elements.Length && shift < 35; position++, shift += 7)
        {
            length |= (long)(elements[position] & 0x7F) << shift;
            if ((elements[position] & 0x80) == 0)
            {
                return position + 1 + length <= elements.Length ? (int)(position + 1 + length) : null;
            }
        }

        return null;
    }

    /// <summary>The entry as an object, for replies that are made for one reader.</summary>
    public static Entry ToEntry(StoredEntry stored)
    {
        var bytes = new byte[Measure(stored)];
        Write(bytes, stored);
        return Entry.Parser.ParseFrom(bytes);
    }

    private static int Measure(StoredEntry entry) =>
        MeasureString(entry.ConversationId) + MeasureVarint(entry.Seq.Value) + MeasureVarint(entry.Ordinal) + MeasureString(entry.SenderId)
        + MeasureString(entry.SenderDeviceId) + MeasureString(entry.ClientMessageId) + MeasureVarint(entry.TimeMs)
        + (entry.IsGone ? 2 : entry.Body.Length);

    private static void Write(Span<byte> destination, StoredEntry entry)
    {
        var position = 0;
        WriteString(destination, ref position, ConversationId, entry.ConversationId);
        WriteVarint(destination, ref position, ConversationSeq, entry.Seq.Value);
        WriteVarint(destination, ref position, Ordinal, entry.Ordinal);
        WriteString(destination, ref position, SenderId, entry.SenderId);
        WriteString(destination, ref position, SenderDeviceId, entry.SenderDeviceId);
        WriteString(destination, ref position, ClientMessageId, entry.ClientMessageId);
        WriteVarint(destination, ref position, TimeMs, entry.TimeMs);
        if (entry.IsGone)
        {
            destination[position] = Gone;
            destination[position + 1] = 1;
        }
        else
        {
            entry.Body.Span.CopyTo(destination[position..]);
        }
    }

    private static int MeasureString(string value)
    {
        var bytes = Encoding.UTF8.GetByteCount(value);
        return bytes == 0 ? 0 : 1 + PacketFraming.PrefixBytes(bytes) + bytes;
    }

    private static int MeasureVarint(long value) => value == 0 ? 0 : 1 + Varint.Size((ulong)value);

    private static void WriteString(Span<byte> destination, ref int position, byte tag, string value)
    {
        if (value.Length == 0)
        {
            return;
        }

        destination[position++] = tag;
        position += PacketFraming.WritePrefix(destination[position..], Encoding.UTF8.GetByteCount(value));
        position += Encoding.UTF8.GetBytes(value, destination[position..]);
    }

    private static void WriteVarint(Span<byte> destination, ref int position, byte tag, long value)
    {
        if (value != 0)
        {
            destination[position++] = tag;
            position += Varint.Write(destination[position..], (ulong)value);
        }
    }
}
