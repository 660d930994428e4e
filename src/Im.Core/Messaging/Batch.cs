using Im.Storage;
using Im.Timelines;

namespace Im.Messaging;

/// <summary>What one commit carries, from being built to being delivered. Owned by the committer's loop.</summary>
internal sealed class Batch(string nodeName, long number, List<PendingAppend> items, List<AppendItem> appendItems, List<TimelineKey> timelines)
{
    private HashSet<int>? _retried;

    public long Number => number;

    public IReadOnlyList<PendingAppend> Items => items;

    /// <summary>The items as the store gets them, in the same order.</summary>
    public IReadOnlyList<AppendItem> AppendItems => appendItems;

    public IReadOnlyList<TimelineKey> Timelines => timelines;

    /// <summary>What the store said; null if the commit failed.</summary>
    public AppendResult? Result { get; set; }

    /// <summary>Why the commit failed.</summary>
    public Exception? Failure { get; set; }

    /// <summary>The item is answered later: it goes into another batch.</summary>
    public void MarkRetried(int index) => (_retried ??= []).Add(index);

    public bool IsRetried(int index) => _retried?.Contains(index) == true;

    public AppendBatch ToAppend(ReadOnlyMemory<long> proposedHeads) => new()
    {
        NodeName = nodeName,
        BatchNumber = number,
        Items = appendItems,
        Timelines = timelines,
        ProposedHeads = proposedHeads,
    };
}
