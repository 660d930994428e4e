namespace Im.Timelines;

/// <summary>The head row of a timeline: its last seq and the first one that is still kept. It outlives the entries.</summary>
/// <param name="Timeline">Which timeline.</param>
/// <param name="Head">The seq of the last entry; 0 = none yet.</param>
/// <param name="Floor">The seq of the first entry that is still kept; 1 from the start, head + 1 when nothing is kept.</param>
/// <param name="Ordinal">Conversations: how many unread-counting messages there are up to the head. Inboxes: 0.</param>
public readonly record struct TimelineHead(TimelineKey Timeline, long Head, long Floor, long Ordinal)
{
    /// <summary>The head of a timeline that has no entry yet.</summary>
    public static TimelineHead Empty(TimelineKey timeline) => new(timeline, 0, 1, 0);

    /// <summary>Whether a reader at <paramref name="cursor"/> can go on from there without having missed anything.</summary>
    public bool IsUsable(long cursor) => Floor - 1 <= cursor && cursor <= Head;
}
