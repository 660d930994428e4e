namespace Im.Timelines;

/// <summary>Proposes heads from what the store said last, for one node.</summary>
/// <remarks>
/// Two generations bound the cache: what is observed goes into the young one; when that holds half of the limit it becomes
/// the old one, and what was in the old one is forgotten. A timeline that is used again in between stays. Not safe for several
/// threads, as the contract says.
/// </remarks>
internal sealed class CachedSequenceAllocator : ISequenceAllocator
{
    /// <summary>The default limit; about 10 MB.</summary>
    public const int DefaultMaxEntries = 100_000;

    private readonly int _maxYoung;
    private Dictionary<TimelineKey, long> _young = [];
    private Dictionary<TimelineKey, long> _old = [];

    /// <summary>Creates the cache.</summary>
    /// <param name="maxEntries">How many heads are kept at most; at least 2.</param>
    public CachedSequenceAllocator(int maxEntries = DefaultMaxEntries)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxEntries, 2);
        _maxYoung = maxEntries / 2;
    }

    internal int Count => _young.Count + _old.Count;

    /// <inheritdoc/>
    public ValueTask ProposeAsync(IReadOnlyList<TimelineKey> timelines, Memory<long> heads, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(timelines);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        var span = heads.Span;
        for (var i = 0; i < timelines.Count; i++)
        {
            span[i] = _young.TryGetValue(timelines[i], out var head) || _old.TryGetValue(timelines[i], out head)
                ? head
                : ISequenceAllocator.Unknown;
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public void Observe(IReadOnlyList<TimelineKey> timelines, ReadOnlyMemory<long> heads)
    {
        ArgumentNullException.ThrowIfNull(timelines);
        var span = heads.Span;
        for (var i = 0; i < timelines.Count; i++)
        {
            // The young one is looked at first, so an older value that is still in the old one does no harm.
            _young[timelines[i]] = span[i];
            if (_young.Count >= _maxYoung)
            {
                (_young, _old) = (_old, _young);
                _young.Clear();
            }
        }
    }
}
