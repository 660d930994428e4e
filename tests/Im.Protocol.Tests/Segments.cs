using System.Buffers;

namespace Im.Protocol.Tests;

/// <summary>Byte sequences in several pieces, as a pipe gives them.</summary>
internal static class Segments
{
    /// <summary>The bytes cut before each of the positions; two equal positions make an empty piece.</summary>
    public static ReadOnlySequence<byte> Cut(byte[] bytes, params IEnumerable<int> positions)
    {
        Piece? first = null;
        Piece? last = null;
        var start = 0;
        foreach (var end in positions.Append(bytes.Length))
        {
            last = new Piece(bytes.AsMemory(start, end - start), last);
            first ??= last;
            start = end;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? previous)
        {
            Memory = memory;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
