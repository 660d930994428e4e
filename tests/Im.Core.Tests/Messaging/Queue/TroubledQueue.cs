using Im.Storage;

namespace Im.Core.Tests.Messaging.Queue;

/// <summary>A queue whose next calls fail.</summary>
internal sealed class TroubledQueue(ISendQueue inner) : ISendQueue
{
    public int AddFailures;
    public int ReadFailures;
    public int RemoveFailures;

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

    public ValueTask<SendQueueLease> TakeLeaseAsync(string owner, SendQueueLease expired, CancellationToken cancellationToken) =>
        inner.TakeLeaseAsync(owner, expired, cancellationToken);

    public ValueTask ReleaseLeaseAsync(string owner, CancellationToken cancellationToken) => inner.ReleaseLeaseAsync(owner, cancellationToken);

    private static void Fail(ref int failures)
    {
        if (Interlocked.Decrement(ref failures) >= 0)
        {
            throw new ImStorageException("The test says so.");
        }
    }
}
