using Im.Timelines;

namespace Im.Storage.Relational.Append;

/// <summary>What is known of a batch's timelines while its items are appended one by one: as the database says, and then as the items before changed it.</summary>
internal sealed class BatchState(AppendBatch batch)
{
    private readonly (int Timeline, long Seq, long Ordinal)[] _stored = new (int, long, long)[batch.Items.Count];
    private Dictionary<string, int>? _conversations;

    /// <summary>By timeline.</summary>
    public long[] Heads { get; } = new long[batch.Timelines.Count];

    /// <summary>By timeline; 0 for inboxes.</summary>
    public long[] Ordinals { get; } = new long[batch.Timelines.Count];

    /// <summary>By timeline; 0 for inboxes.</summary>
    public long[] Versions { get; } = new long[batch.Timelines.Count];

    /// <summary>By conversation and sender the ordinal of the last own message; written at the end, once.</summary>
    public Dictionary<(int Timeline, string SenderId), long> OwnOrdinals { get; } = [];

    public void Stored(int item, int timeline, ConversationSeq seq, long ordinal)
    {
        _stored[item] = (timeline, seq.Value, ordinal);
        Heads[timeline] = seq.Value;
        Ordinals[timeline] = ordinal;
    }

    /// <summary>Where a conversation stands in the timelines; −1 = not in the batch.</summary>
    public int Find(string conversationId)
    {
        if (_conversations is null)
        {
            _conversations = new(StringComparer.Ordinal);
            for (var i = 0; i < batch.Timelines.Count && batch.Timelines[i].Kind == TimelineKind.Conversation; i++)
            {
                _conversations.Add(batch.Timelines[i].Id, i);
            }
        }

        return _conversations.GetValueOrDefault(conversationId, -1);
    }

    /// <summary>The ordinal of an entry that this batch has appended; null = of an earlier one.</summary>
    public long? FindOrdinal(int timeline, long seq)
    {
        foreach (var stored in _stored)
        {
            if (stored.Timeline == timeline && stored.Seq == seq)
            {
                return stored.Ordinal;
            }
        }

        return null;
    }
}
