using System.Runtime.InteropServices;

namespace Im.Storage;

/// <summary>One audience of a batch that is being numbered: where its inboxes stand and what was appended to it.</summary>
internal sealed class AudienceSlot(Audience audience, int[] timelines)
{
    public Audience Audience { get; } = audience;

    public int[] Timelines { get; } = timelines;

    public List<Piece> Pieces { get; } = [];

    public void Add(int rank, long seq)
    {
        var pieces = CollectionsMarshal.AsSpan(Pieces);
        if (pieces.Length > 0 && pieces[^1].Rank == rank && pieces[^1].First + pieces[^1].Count == seq)
        {
            pieces[^1].Count++;
        }
        else
        {
            Pieces.Add(new Piece { Rank = rank, First = seq, Count = 1 });
        }
    }
}

/// <summary>Consecutive entries of the conversation with the given rank.</summary>
internal struct Piece
{
    public int Rank;
    public long First;
    public int Count;
}
