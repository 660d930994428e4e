namespace Im.Timelines;

/// <summary>Proposes the heads that a batch will meet, from a cache. It numbers nothing: the store's head rows decide.</summary>
/// <remarks>
/// A wrong proposal costs the committer one retry, never an entry. Called by one committer at a time, so an implementation
/// needs no lock for a single node.
/// </remarks>
public interface ISequenceAllocator
{
    /// <summary>The proposed head of each timeline in order; <see cref="Unknown"/> where the cache has none.</summary>
    ValueTask ProposeAsync(IReadOnlyList<TimelineKey> timelines, Memory<long> heads, CancellationToken cancellationToken);

    /// <summary>Remembers what the store said, after a commit or after a refusal for stale heads.</summary>
    void Observe(IReadOnlyList<TimelineKey> timelines, ReadOnlyMemory<long> heads);

    /// <summary>Says that the store is to take whatever head it finds.</summary>
    const long Unknown = -1;
}
