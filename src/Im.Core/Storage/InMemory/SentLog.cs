using Im.Timelines;

namespace Im.Storage.InMemory;

/// <summary>The ids that were claimed, with the original results; bounded by age and count. Guarded by the state's lock.</summary>
internal sealed class SentLog(TimeProvider timeProvider, InMemorySettings settings)
{
    private readonly Dictionary<SentKey, SentRecord> _records = [];

    // In the order of claiming, which is the order of age.
    private readonly Queue<(SentKey Key, long ClaimedAt, long ClaimedMs)> _claims = new();

    public int Count => _records.Count;

    public bool TryGet(SentKey key, out SentRecord record) => _records.TryGetValue(key, out record);

    public void Claim(SentKey key, SentRecord record)
    {
        _records.Add(key, record);
        _claims.Enqueue((key, timeProvider.GetTimestamp(), timeProvider.GetUtcNow().ToUnixTimeMilliseconds()));
    }

    /// <summary>Forgets what was claimed before a time, the oldest first, at most <paramref name="max"/>; says how many it were.</summary>
    public int Expire(long beforeMs, int max)
    {
        var count = 0;
        while (count < max && _claims.TryPeek(out var oldest) && oldest.ClaimedMs < beforeMs)
        {
            _claims.Dequeue();
            _records.Remove(oldest.Key);
            count++;
        }

        return count;
    }

    /// <summary>Forgets what is too old or too much. Never called inside a batch, so that a batch cannot forget its own claims.</summary>
    public void Trim()
    {
        if (_claims.Count == 0)
        {
            return;
        }

        var now = timeProvider.GetTimestamp();
        while (_claims.TryPeek(out var oldest)
            && (_claims.Count > settings.SentMaxCount
                || timeProvider.GetElapsedTime(oldest.ClaimedAt, now) >= settings.SentRetention))
        {
            _claims.Dequeue();
            _records.Remove(oldest.Key);
        }
    }
}

/// <summary>The original result of a claimed id.</summary>
internal readonly record struct SentRecord(string ConversationId, ConversationSeq Seq, long Ordinal, long TimeMs, ContentHash Hash);
