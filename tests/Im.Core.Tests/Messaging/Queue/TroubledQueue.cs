using Im.Storage;

namespace Im.Core.Tests.Messaging.Queue;

/// <summary>A queue whose next calls fail.</summary>
internal sealed class TroubledQueue(ISendQueue inner) : ISendQueue
{
    public int AddFailures;
    public int ReadFailures;
    public int RemoveFailures;
    private int _leaseAsks;

    /// <summary>How often the lease was asked for.</summary>
    public int LeaseAsks => Volatile.Read(ref _leaseAsks);

    public ValueTask<bool> AddAsync(IReadOnlyList<QueuedSend> sends, long maxRows, CancellationToken cancellationToken)
    {
        Fail(ref AddFailures);
        return inner.AddAsync(sends, maxRows, cancellationToken);
    }

    public ValueTask<IReadOnlyList<QueuedRow>> ReadAsync(long afterId, int maxRows, int maxBytes, CancellationToken cancellationToken)
    {
        Fail(ref ReadFailures);
        return inner.ReadAsync(afterId, maxRows, maxBytes, cancellationToken);
    }

    public ValueTask RemoveAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken)
    {
        Fail(ref RemoveFailures);
        return inner.RemoveAsync(ids, cancellationToken);
    }

    public ValueTask<SendQueueState> GetStateAsync(string nodeName, CancellationToken cancellationToken) => inner.GetStateAsync(nodeName, cancellationToken);

    public ValueTask<SendQueueLease> TakeLeaseAsync(string owner, SendQueueLease expired, CancellationToken cancellationToken)
    {
        var lease = inner.TakeLeaseAsync(owner, expired, cancellationToken);
        Interlocked.Increment(ref _leaseAsks);
        return lease;
    }

    public ValueTask ReleaseLeaseAsync(string owner, CancellationToken cancellationToken) => inner.ReleaseLeaseAsync(owner, cancellationToken);

    private static void Fail(ref int failures)
    {
        if (Interlocked.Decrement(ref failures) >= 0)
        {
            throw new ImStorageException("The test says so.");
        }
    }
}
