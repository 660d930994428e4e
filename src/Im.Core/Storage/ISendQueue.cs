namespace Im.Storage;

/// <summary>Sends of the host that wait in the store for their commit: one queue for all nodes that share the store.</summary>
/// <remarks>
/// <para>Rows are numbered in the order in which they were added; of two calls of which one ended before the other began, the earlier one's rows stand in
/// front. A row is there until it is removed, also over a crash. Whoever drains the queue sends a row's message under its client message id and
/// removes the row after the commit: a row that is sent twice is stored once.</para>
/// <para>All methods are safe to call at once from many threads and nodes. A store that has no such queue registers none, and nothing is queued.</para>
/// </remarks>
public interface ISendQueue
{
    /// <summary>
    /// Adds rows behind all others, in order; all or nothing, durable when it returns. When it fails they may be there all the same, and also twice.
    /// </summary>
    /// <param name="sends">The sends.</param>
    /// <param name="maxRows">How many rows there may be then. Nodes that add at once may exceed it by one call's rows each.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>False: there are too many; nothing was added.</returns>
    ValueTask<bool> AddAsync(IReadOnlyList<QueuedSend> sends, long maxRows, CancellationToken cancellationToken);

    /// <summary>The first rows behind a number, in order; at least one where there is one, whatever its size.</summary>
    /// <param name="afterId">0 = from the first row on.</param>
    /// <param name="maxRows">At most so many.</param>
    /// <param name="maxBytes">Contents of so many bytes in all.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask<IReadOnlyList<QueuedRow>> ReadAsync(long afterId, int maxRows, int maxBytes, CancellationToken cancellationToken);

    /// <summary>Removes exactly these rows; those that are gone are no error.</summary>
    ValueTask RemoveAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken);

    /// <summary>How long the queue is; cheap.</summary>
    /// <param name="nodeName">Whether rows of this node are among them is told too.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    ValueTask<SendQueueState> GetStateAsync(string nodeName, CancellationToken cancellationToken);

    /// <summary>
    /// Takes or renews the right to drain, under the next number: the caller has it already, or nobody has it, or it is still exactly what the caller
    /// has seen for too long, so that its holder must be dead. No clock is compared: the caller watches the number for as long as it finds right.
    /// </summary>
    /// <param name="owner">Random for each start of a process; no spaces.</param>
    /// <param name="expired">What the caller takes from its holder; <see cref="SendQueueLease.Free"/> = nothing.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>What is there now: the caller's, or another holder's.</returns>
    ValueTask<SendQueueLease> TakeLeaseAsync(string owner, SendQueueLease expired, CancellationToken cancellationToken);

    /// <summary>Gives the lease back if this owner has it.</summary>
    ValueTask ReleaseLeaseAsync(string owner, CancellationToken cancellationToken);
}
