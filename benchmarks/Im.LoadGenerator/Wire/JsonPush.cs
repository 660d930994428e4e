using System.Buffers.Text;
using System.Runtime.InteropServices;

namespace Im.LoadGenerator.Wire;

/// <summary>Reads pushes in JSON by looking for a few marks; what does not have them is found by its braces.</summary>
/// <remarks>
/// <code>
/// packet   {"push":{"firstInboxSeq":"12","entries":[ entry, entry ]}}
/// entry    {"conversationId":"g:1","conversationSeq":"7",…,"content":{"contentType":"text","text":"… run number"}}
/// </code>
/// </remarks>
internal static class JsonPush
{
    private static ReadOnlySpan<byte> Start => "{\"push\":{"u8;

    private static ReadOnlySpan<byte> InboxSeq => "\"firstInboxSeq\":\""u8;

    private static ReadOnlySpan<byte> ConversationId => "\"conversationId\":\""u8;

    private static ReadOnlySpan<byte> ConversationSeq => "\"firstConversationSeq\":\""u8;

    private static ReadOnlySpan<byte> Entries => "\"entries\":["u8;

    private static ReadOnlySpan<byte> EntryStart => "{\"conversationId\":\""u8;

    private static ReadOnlySpan<byte> EntrySeq => "\"conversationSeq\":\""u8;

    private static ReadOnlySpan<byte> TextEnd => "\"}}"u8;

    public static HeadStatus TryReadHead(ReadOnlySpan<byte> available, int packetBytes, out PushHead head)
    {
        head = default;
        var more = available.Length < packetBytes ? HeadStatus.Incomplete : HeadStatus.Other;
        if (!available.StartsWith(Start))
        {
            return available.Length < Start.Length ? more : HeadStatus.Other;
        }

        var at = Start.Length;
        if (available[at..].StartsWith(InboxSeq))
        {
            at += InboxSeq.Length;
        }
        else if (available[at..].StartsWith(ConversationId))
        {
            at += ConversationId.Length;
            var end = available[at..].IndexOf((byte)'"');
            if (end < 0 || available.Length < at + end + 2 + ConversationSeq.Length)
            {
                return more;
            }

            head.Conversation = available.Slice(at, end);
            at += end + 2;
            if (!available[at..].StartsWith(ConversationSeq))
            {
                return HeadStatus.Other;
            }

            at += ConversationSeq.Length;
        }
        else
        {
            return more; // an unknown shape is read as a whole
        }

        if (!Utf8Parser.TryParse(available[at..], out head.First, out var digits) || available.Length < at + digits + 2 + Entries.Length)
        {
            return more;
        }

        at += digits + 2;
        if (!available[at..].StartsWith(Entries))
        {
            return HeadStatus.Other;
        }

        head.Bytes = at + Entries.Length;
        return HeadStatus.Push;
    }

    /// <summary>Reads one entry, with the comma before it, and returns its bytes; 0 = more are needed. An entry without bytes is the push's end.</summary>
    public static int ReadEntry(ReadOnlySpan<byte> data, ref EntryView entry)
    {
        entry.Bytes = default;
        if (data.IsEmpty)
        {
            return 0;
        }

        if (data[0] == ']')
        {
            return data.Length < 3 ? 0 : 3;
        }

        var comma = data[0] == ',' ? 1 : 0;
        var rest = data[comma..];
        var length = FindOwn(rest, ref entry);
        if (length == 0)
        {
            entry.Run = 0;
            length = FindEnd(rest);
            if (length == 0)
            {
                return 0;
            }
        }

        var bytes = rest[..length];
        ReadPlace(bytes, ref entry);
        entry.Bytes = bytes;
        return comma + bytes.Length;
    }

    // The text of a message of the generator has no quotes; the first TextEnd is its end, unless another entry begins before.
    private static int FindOwn(ReadOnlySpan<byte> rest, ref EntryView entry)
    {
        var end = rest.IndexOf(TextEnd);
        if (end < EntryStart.Length + 16 || rest[EntryStart.Length..end].IndexOf(EntryStart) >= 0)
        {
            return 0;
        }

        entry.Run = MemoryMarshal.Read<ulong>(rest[(end - 16)..]);
        entry.Number = MemoryMarshal.Read<ulong>(rest[(end - 8)..]);
        return Stamp.IsRun(entry.Run) ? end + TextEnd.Length : 0;
    }

    private static void ReadPlace(ReadOnlySpan<byte> bytes, ref EntryView entry)
    {
        if (bytes.StartsWith(EntryStart))
        {
            var id = bytes[EntryStart.Length..];
            var end = id.IndexOf((byte)'"');
            entry.Conversation = id[..end];
            var seq = id[(end + 2)..];
            if (seq.StartsWith(EntrySeq) && Utf8Parser.TryParse(seq[EntrySeq.Length..], out entry.Seq, out _))
            {
                return;
            }
        }

        throw new InvalidDataException("An entry does not begin with its conversation and seq.");
    }

    private static int FindEnd(ReadOnlySpan<byte> json)
    {
        var depth = 0;
        var inText = false;
        for (var i = 0; i < json.Length; i++)
        {
            switch (json[i])
            {
                case (byte)'\\' when inText:
                    i++;
                    break;
                case (byte)'"':
                    inText = !inText;
                    break;
                case (byte)'{' when !inText:
                    depth++;
                    break;
                case (byte)'}' when !inText && --depth == 0:
                    return i + 1;
            }
        }

        return 0;
    }
}
