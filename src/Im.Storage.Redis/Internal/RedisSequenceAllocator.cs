using Im.Cluster;
using Im.Timelines;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>Proposes heads from this node's memory and, where that is old or knows nothing, from Redis. It numbers nothing.</summary>
/// <remarks>
/// <para>Whatever Redis says, or does not say, costs at most one retry: the store's head rows decide.</para>
/// <para>A proposal that was refused says that another node writes there too. For a while nothing is proposed for that timeline then, so that two busy
/// nodes do not make each other retry at each commit.</para>
/// <para>For one committer at a time, as the contract says.</para>
/// </remarks>
internal sealed class RedisSequenceAllocator(RedisConnection redis, RedisKeys keys, IOptions<ImRedisOptions> options, TimeProvider time) : ISequenceAllocator
{
    private const int PageSize = 500;

    // What was observed longer ago is looked up: another node may have written meanwhile.
    private static readonly TimeSpan TrustedFor = TimeSpan.FromSeconds(1);

    private readonly LocalHeads _local = new(options.Value.MaxLocalHeads);
    private readonly HeadPeriods _periods = new(options.Value.KeepHeadsFor, time);
    private readonly TimeSpan _contendedFor = options.Value.ContendedFor;
    private readonly HeadWriter _writer = new(redis, keys, new HeadPeriods(options.Value.KeepHeadsFor, time));

    // The last proposal and what was observed first after it: a second observation says that the first one was a refusal.
    private IReadOnlyList<TimelineKey> _proposed = [];
    private long[] _proposedHeads = [];
    private long[]? _observedHeads;

    /// <inheritdoc/>
    public async ValueTask ProposeAsync(IReadOnlyList<TimelineKey> timelines, Memory<long> heads, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(timelines);
        cancellationToken.ThrowIfCancellationRequested();
        if (ProposeLocal(timelines, heads.Span) is { Count: > 0 } missing)
        {
            await ProposeSharedAsync(timelines, heads, missing, cancellationToken).ConfigureAwait(false);
        }

        _proposed = timelines;
        _proposedHeads = heads.ToArray();
        _observedHeads = null;
    }

    /// <inheritdoc/>
    public void Observe(IReadOnlyList<TimelineKey> timelines, ReadOnlyMemory<long> heads)
    {
        ArgumentNullException.ThrowIfNull(timelines);
        var now = time.GetTimestamp();
        var span = heads.Span;
        var refuted = Refuted(timelines, span);
        HashSet<TimelineKey>? corrections = refuted is null ? null : [.. refuted];
        for (var i = 0; i < timelines.Count; i++)
        {
            var isKnown = _local.TryGet(timelines[i], out var known);
            if (isKnown && span[i] < known.Head)
            {
                // The store went back, as after a restored backup.
                (corrections ??= []).Add(timelines[i]);
            }

            var contendedUntil = refuted?.Contains(timelines[i]) == true
                ? now + (long)(_contendedFor.TotalSeconds * time.TimestampFrequency)
                : known.ContendedUntil;
            _local.Set(timelines[i], new LocalHead(span[i], now, contendedUntil));
        }

        _writer.Add(timelines, span, corrections);
    }

    // Returns the places that Redis is asked for.
    private List<int> ProposeLocal(IReadOnlyList<TimelineKey> timelines, Span<long> heads)
    {
        var missing = new List<int>();
        var now = time.GetTimestamp();
        for (var i = 0; i < timelines.Count; i++)
        {
            heads[i] = ISequenceAllocator.Unknown;
            if (!_local.TryGet(timelines[i], out var known))
            {
                missing.Add(i);
            }
            else if (known.ContendedUntil <= now)
            {
                heads[i] = known.Head;
                if (time.GetElapsedTime(known.ObservedAt, now) > TrustedFor)
                {
                    missing.Add(i);
                }
            }
        }

        return missing;
    }

    private async Task ProposeSharedAsync(
        IReadOnlyList<TimelineKey> timelines, Memory<long> heads, List<int> missing, CancellationToken cancellationToken)
    {
        if (!redis.IsAvailable)
        {
            return;
        }

        var period = _periods.Current;
        try
        {
            await redis.RunAsync(
                "heads-find",
                async multiplexer =>
                {
                    var database = multiplexer.GetDatabase();
                    await Task.WhenAll(missing
                        .GroupBy(i => RedisKeys.Bucket(timelines[i].Id))
                        .SelectMany(bucket => bucket.Chunk(PageSize), async (bucket, page) =>
                        {
                            RedisValue[] fields = [.. page.Select(i => HeadWriter.Field(timelines[i]))];
                            var found = await Task.WhenAll(
                                database.HashGetAsync(keys.Heads(bucket.Key, period), fields),
                                database.HashGetAsync(keys.Heads(bucket.Key, period - 1), fields)).ConfigureAwait(false);
                            for (var n = 0; n < page.Length; n++)
                            {
                                var head = found[0][n].IsNull ? found[1][n] : found[0][n];
                                if (!head.IsNull)
                                {
                                    heads.Span[page[n]] = (long)head;
                                }
                            }
                        })).ConfigureAwait(false);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (ImClusterException)
        {
            // Counted already. The store says which heads there are.
        }
    }

    private HashSet<TimelineKey>? Refuted(IReadOnlyList<TimelineKey> timelines, ReadOnlySpan<long> heads)
    {
        if (!ReferenceEquals(timelines, _proposed))
        {
            return null;
        }

        if (_observedHeads is not { } observed)
        {
            _observedHeads = heads.ToArray();
            return null;
        }

        HashSet<TimelineKey>? refuted = null;
        for (var i = 0; i < timelines.Count; i++)
        {
            if (_proposedHeads[i] != ISequenceAllocator.Unknown && _proposedHeads[i] != observed[i])
            {
                (refuted ??= []).Add(timelines[i]);
            }
        }

        // Of one proposal.
        _proposed = [];
        return refuted;
    }
}
