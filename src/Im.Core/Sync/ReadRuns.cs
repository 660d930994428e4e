using Im.Timelines;

namespace Im.Sync;

/// <summary>Entries that were read from the store a moment ago, encoded: members who come back together read the same ones, once.</summary>
/// <remarks>
/// Bounded in bytes and age; the age because what retention deletes meanwhile is to be gone soon. Runs may overlap where two sessions read at once: then a
/// look-up may miss, and the store is asked again. The lock guards both collections and is held for a few steps only.
/// </remarks>
internal sealed class ReadRuns(int maxBytes, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    // What a run occupies beside its bytes.
    private const int Overhead = 200;

    private readonly Lock _lock = new();
    private readonly Queue<EncodedRun> _oldest = new();
    private readonly Queue<long> _readAt = new();
    private readonly Dictionary<string, SortedList<long, EncodedRun>> _byConversation = new(StringComparer.Ordinal);
    private long _bytes;

    public void Add(EncodedRun run)
    {
        if (run.Size + Overhead > maxBytes)
        {
            return;
        }

        lock (_lock)
        {
            if (!_byConversation.TryGetValue(run.Run.ConversationId, out var runs))
            {
                _byConversation.Add(run.Run.ConversationId, runs = []);
            }

            // The older one stays in the queue, and no longer finds itself when its turn to go comes.
            runs[run.Run.First.Value] = run;
            _oldest.Enqueue(run);
            _readAt.Enqueue(time.GetTimestamp());
            _bytes += run.Size + Overhead;
            while (_bytes > maxBytes)
            {
                RemoveOldest();
            }
        }
    }

    /// <summary>The part of a run that begins at <paramref name="first"/>, or null.</summary>
    public RunSlice? Find(string conversationId, ConversationSeq first, int maxCount)
    {
        lock (_lock)
        {
            while (_readAt.TryPeek(out var readAt) && time.GetElapsedTime(readAt) > Lifetime)
            {
                RemoveOldest();
            }

            if (!_byConversation.TryGetValue(conversationId, out var runs) || FindLastFrom(runs, first) is not { } run || run.Run.Last < first)
            {
                return null;
            }

            var skip = (int)(first - run.Run.First);
            return new RunSlice(run, skip, Math.Min(maxCount, run.Run.Count - skip));
        }
    }

    /// <summary>Forgets the entries of some conversations: they are read from the store again.</summary>
    public void Remove(IReadOnlyCollection<string> conversationIds)
    {
        lock (_lock)
        {
            foreach (var id in conversationIds)
            {
                _byConversation.Remove(id);
            }
        }
    }

    /// <summary>Of the runs that begin at the seq or before it the last one.</summary>
    private static EncodedRun? FindLastFrom(SortedList<long, EncodedRun> runs, ConversationSeq seq)
    {
        var (low, high) = (0, runs.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            (low, high) = runs.GetKeyAtIndex(middle) <= seq.Value ? (middle + 1, high) : (low, middle - 1);
        }

        return high < 0 ? null : runs.GetValueAtIndex(high);
    }

    private void RemoveOldest()
    {
        var run = _oldest.Dequeue();
        _readAt.Dequeue();
        _bytes -= run.Size + Overhead;
        if (_byConversation.TryGetValue(run.Run.ConversationId, out var runs)
            && runs.TryGetValue(run.Run.First.Value, out var kept)
            && ReferenceEquals(kept, run))
        {
            runs.Remove(run.Run.First.Value);
            if (runs.Count == 0)
            {
                _byConversation.Remove(run.Run.ConversationId);
            }
        }
    }
}
