using Im.Cluster;
using Im.Timelines;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>Tells Redis heads, behind the committer's back: one flush at a time, and what comes meanwhile waits as one newest head for each timeline.</summary>
/// <remarks>The lock guards what waits and whether a flush runs; it is not held during a call.</remarks>
internal sealed class HeadWriter(RedisConnection redis, RedisKeys keys, HeadPeriods periods)
{
    private const int MaxWaiting = 50_000;
    private const int PageSize = 500;

    private readonly Lock _lock = new();
    private Dictionary<TimelineKey, (long Head, bool IsCorrection)> _waiting = [];
    private bool _isFlushing;

    public static RedisValue Field(TimelineKey timeline) => (timeline.Kind == TimelineKind.Conversation ? "c" : "i") + timeline.Id;

    /// <summary>Takes heads to tell; what is too much is left out, since Redis only saves retries.</summary>
    /// <param name="timelines">The timelines.</param>
    /// <param name="heads">Their heads.</param>
    /// <param name="corrections">Those of them that are told also where Redis knows a higher one.</param>
    public void Add(IReadOnlyList<TimelineKey> timelines, ReadOnlySpan<long> heads, HashSet<TimelineKey>? corrections)
    {
        if (!redis.IsAvailable)
        {
            return;
        }

        lock (_lock)
        {
            for (var i = 0; i < timelines.Count && _waiting.Count < MaxWaiting; i++)
            {
                _waiting[timelines[i]] = (heads[i], corrections?.Contains(timelines[i]) == true);
            }

            if (_isFlushing)
            {
                return;
            }

            _isFlushing = true;
        }

        _ = FlushAsync();
    }

    private async Task FlushAsync()
    {
        await Task.Yield();
        while (true)
        {
            Dictionary<TimelineKey, (long Head, bool IsCorrection)> heads;
            lock (_lock)
            {
                if (_waiting.Count == 0)
                {
                    _isFlushing = false;
                    return;
                }

                heads = _waiting;
                _waiting = [];
            }

            try
            {
                await WriteAsync(heads).ConfigureAwait(false);
            }
            catch (ImClusterException)
            {
                // Counted already. The others retry once where they would have known.
            }
        }
    }

    private Task WriteAsync(Dictionary<TimelineKey, (long Head, bool IsCorrection)> heads)
    {
        var period = periods.Current;
        return Task.WhenAll(heads
            .GroupBy(head => RedisKeys.Bucket(head.Key.Id))
            .SelectMany(bucket => bucket.Chunk(PageSize), (bucket, page) => redis.EvaluateAsync(
                RedisScript.Heads,
                [keys.Heads(bucket.Key, period)],
                [periods.TimeToLive, .. page.SelectMany(head => (RedisValue[])[Field(head.Key), head.Value.Head, head.Value.IsCorrection ? 1 : 0])],
                CancellationToken.None)));
    }
}

/// <summary>Heads are kept in one hash a period and bucket, so that what nobody writes to is forgotten as a whole.</summary>
internal sealed class HeadPeriods(TimeSpan length, TimeProvider time)
{
    /// <summary>The period now. Nodes whose clocks differ meet in the one before or after, or not at all, which costs a retry.</summary>
    public long Current => time.GetUtcNow().ToUnixTimeMilliseconds() / Math.Max(1, (long)length.TotalMilliseconds);

    public string TimeToLive { get; } = Records.Milliseconds(2 * length);
}
