using System.Runtime.InteropServices;
using System.Text;
using Im.Timelines;

namespace Im.Storage.Relational;

/// <summary>The packed form of runs, as chunks and commit-log rows keep it.</summary>
/// <remarks>
/// <code>
/// run   = varint length, id (UTF-8), varint first seq, varint count
/// runs  = run run run …
/// </code>
/// Varints are unsigned, seven bits a byte, the lowest first.
/// </remarks>
internal static class RunsCodec
{
    /// <summary>Packs runs into a buffer that is grown where needed; how many bytes it took.</summary>
    public static int Pack(IReadOnlyList<Run> runs, ref byte[] buffer)
    {
        var at = 0;
        for (var i = 0; i < runs.Count; i++)
        {
            var run = runs[i];
            var length = Encoding.UTF8.GetByteCount(run.ConversationId);
            if (buffer.Length - at < length + 24)
            {
                Array.Resize(ref buffer, Math.Max(buffer.Length * 2, at + length + 24));
            }

            at = WriteVarint(buffer, at, (ulong)length);
            at += Encoding.UTF8.GetBytes(run.ConversationId, buffer.AsSpan(at));
            at = WriteVarint(buffer, at, (ulong)run.First.Value);
            at = WriteVarint(buffer, at, (ulong)run.Count);
        }

        return at;
    }

    /// <summary>Takes the next run off the front; an id equal to the last one is the same string.</summary>
    public static Run Next(ref ReadOnlySpan<byte> packed, string? lastId)
    {
        var length = (int)ReadVarint(ref packed);
        if (length > packed.Length)
        {
            throw Damaged();
        }

        var id = packed[..length];
        packed = packed[length..];
        var first = (long)ReadVarint(ref packed);
        var count = (int)ReadVarint(ref packed);
        return new Run(Same(id, lastId) ? lastId! : Encoding.UTF8.GetString(id), new ConversationSeq(first), count);
    }

    /// <summary>Entries that continue each other are one run, whichever commits they came from.</summary>
    public static void Add(List<Run> runs, Run run)
    {
        if (runs.Count > 0)
        {
            ref var last = ref CollectionsMarshal.AsSpan(runs)[^1];
            if (last.First + last.Count == run.First && string.Equals(last.ConversationId, run.ConversationId, StringComparison.Ordinal))
            {
                last = last with { Count = last.Count + run.Count };
                return;
            }
        }

        runs.Add(run);
    }

    private static bool Same(ReadOnlySpan<byte> bytes, string? text)
    {
        if (text is null || text.Length > bytes.Length)
        {
            return false;
        }

        Span<byte> encoded = stackalloc byte[bytes.Length <= 256 ? bytes.Length : 0];
        return encoded.Length == bytes.Length
            && Encoding.UTF8.TryGetBytes(text, encoded, out var written)
            && written == bytes.Length
            && encoded.SequenceEqual(bytes);
    }

    private static int WriteVarint(byte[] buffer, int at, ulong value)
    {
        while (value >= 0x80)
        {
            buffer[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        buffer[at++] = (byte)value;
        return at;
    }

    private static ulong ReadVarint(ref ReadOnlySpan<byte> packed)
    {
        ulong value = 0;
        for (var i = 0; i < packed.Length && i < 10; i++)
        {
            value |= (ulong)(packed[i] & 0x7F) << (7 * i);
            if (packed[i] < 0x80)
            {
                packed = packed[(i + 1)..];
                return value;
            }
        }

        throw Damaged();
    }

    private static InvalidDataException Damaged() => new("A packed list of runs is damaged.");
}
