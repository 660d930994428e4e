using Im.Timelines;

namespace Im.Sync;

/// <summary>The ring of recent entries: the node's last encoded runs, bounded in bytes, read before the store is asked.</summary>
/// <remarks>
/// The committer adds in commit order, and the cluster's receiver what other nodes commit, as it comes: a run out of order may not be found, and is read
/// from the store then. Any thread looks up. The lock guards both collections and is held for a few steps only.
/// </remarks>
internal sealed class RecentEntries(int maxBytes)
{
    private readonly Lock _lock = new();
    private readonly Queue<EncodedRun> _oldest = new();
    private readonly Dictionary<string, ConversationRuns> _byConversation = new(StringComparer.Ordinal);
    private long _bytes;

    public void Add(EncodedRun run)
    {
        if (run.Size > maxBytes)
        {
            return;
        }

        lock (_lock)
        {
            if (!_byConversation.TryGetValue(run.Run.ConversationId, out var runs))
            {
                _byConversation.Add(run.Run.ConversationId, runs = new ConversationRuns());
            }

            runs.Add(run);
            _oldest.Enqueue(run);
            _bytes += run.Size;
            while (_bytes > maxBytes)
            {
                RemoveOldest();
            }
        }
    }

    /// <summary>The part of a recent run that begins at <paramref name="first"/>, or null.</summary>
    public RunSlice? Find(string conversationId, ConversationSeq first, int maxCount)
    {
        lock (_lock)
        {
            if (!_byConversation.TryGetValue(conversationId, out var runs) || runs.Find(first) is not { } run)
            {
                return null;
            }

            var skip = (int)(first - run.Run.First);
            return new RunSlice(run, skip, Math.Min(maxCount, run.Run.Count - skip));
        }
    }

    /// <summary>The last entry of the conversation that was added, as far as is remembered; 0 = none is.</summary>
    public long FindHead(string conversationId)
    {
        lock (_lock)
        {
            return _byConversation.TryGetValue(conversationId, out var runs) ? runs.Head : 0;
        }
    }

    /// <summary>Forgets the entries of some conversations: they are read from the store again.</summary>
    public void Remove(IReadOnlyCollection<string> conversationIds)
    {
        lock (_lock)
        {
            var removed = conversationIds.Where(id => _byConversation.Remove(id)).ToHashSet(StringComparer.Ordinal);
            if (removed.Count == 0)
            {
                return;
            }

            for (var count = _oldest.Count; count > 0; count--)
            {
                var run = _oldest.Dequeue();
                if (removed.Contains(run.Run.ConversationId))
                {
                    _bytes -= run.Size;
                }
                else
                {
                    _oldest.Enqueue(run);
                }
            }
        }
    }

    private void RemoveOldest()
    {
        var run = _oldest.Dequeue();
        _bytes -= run.Size;

        // The oldest run of all is also the oldest of its conversation.
        if (_byConversation[run.Run.ConversationId].RemoveFirst() == 0)
        {
            _byConversation.Remove(run.Run.ConversationId);
        }
    }

    /// <summary>One conversation's runs in seq order; the removed ones in front are swept away when they are half.</summary>
    private sealed class ConversationRuns
    {
        private readonly List<EncodedRun> _runs = [];
        private int _removed;

        public long Head { get; private set; }

        public void Add(EncodedRun run)
        {
            _runs.Add(run);
            Head = Math.Max(Head, run.Run.Last.Value);
        }

        public int RemoveFirst()
        {
            _removed++;
            if (_removed * 2 >= _runs.Count)
            {
                _runs.RemoveRange(0, _removed);
                _removed = 0;
            }

            return _runs.Count - _removed;
        }

        /// <summary>The run that holds the seq, or null.</summary>
        public EncodedRun? Find(ConversationSeq seq)
        {
            var low = _removed;
            var high = _runs.Count - 1;
            while (low <= high)
            {
                var middle = (low + high) >> 1;
                var run = _runs[middle].Run;
                if (run.Last < seq)
                {
                    low = middle + 1;
                }
                else if (run.First > seq)
                {
                    high = middle - 1;
                }
                else
                {
                    return _runs[middle];
                }
            }

            return null;
        }
    }
}
