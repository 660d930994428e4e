namespace Im.Cluster;

/// <summary>Which nodes live and who is connected to which of them. Soft state: whoever loses it builds it again from what the nodes have.</summary>
/// <remarks>
/// <para>All methods are safe to call at once from many threads. Failures are <see cref="ImClusterException"/>, and come fast: nobody waits for a
/// directory that is away. Times are the directory's own, never those of the calling node.</para>
/// <para>What is changed for one user is changed at once; a call for several users or several devices is not one transaction.</para>
/// </remarks>
public interface ISessionDirectory
{
    /// <summary>
    /// Takes the lease of the node's name under a new epoch, which is higher than every one before. The same instance may join again; while another
    /// instance holds the lease nothing is changed, and the result says who.
    /// </summary>
    ValueTask<NodeJoined> JoinAsync(NodeDescription node, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>
    /// Renews the lease and says which nodes live now, this one included. Null: the lease is lost (it ran out, another instance or epoch holds it, the
    /// directory came back empty); then join again and register every session anew.
    /// </summary>
    ValueTask<IReadOnlyList<LiveNode>?> RenewAsync(NodeDescription node, long epoch, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Gives the lease back if this epoch still holds it. The sessions are removed before by <see cref="RemoveAsync"/>, or by a reaper.</summary>
    ValueTask LeaveAsync(string nodeName, long epoch, CancellationToken cancellationToken);

    /// <summary>
    /// Registers sessions, in order. A session whose <see cref="DirectorySession.Ticket"/> is 0 signs in: it takes its device's place, unless the same
    /// start of the client has a later attempt there. One with a ticket is registered again: it stays out where a session with a higher ticket has its
    /// device's place. Of the same start of the client the later attempt wins in both cases.
    /// </summary>
    /// <returns>In order, what became of each.</returns>
    ValueTask<IReadOnlyList<Registration>> RegisterAsync(IReadOnlyList<DirectorySession> sessions, CancellationToken cancellationToken);

    /// <summary>
    /// Removes exactly these sessions: node, epoch and connection id are compared first, so that a late removal never takes a newer session away.
    /// The user's last session leaves behind when the user was last seen.
    /// </summary>
    /// <returns>In order, what became of each.</returns>
    ValueTask<IReadOnlyList<Removal>> RemoveAsync(IReadOnlyList<DirectorySession> sessions, CancellationToken cancellationToken);

    /// <summary>
    /// The users' sessions and when they were last seen, in order. Entries of nodes that do not live any more may be among them; compare
    /// <see cref="DirectorySession.NodeName"/> and <see cref="DirectorySession.Epoch"/> with the nodes that live.
    /// </summary>
    ValueTask<IReadOnlyList<UserSessions>> FindAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken);

    /// <summary>
    /// The users who have a session, ordered by nothing, page by page: pass null first and then what the last page gave, until that is null. Who comes
    /// or goes meanwhile may be missing or there twice.
    /// </summary>
    ValueTask<OnlinePage> ListAsync(string? cursor, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Nodes without a lease that may still have entries, if the caller gets or has the reaper's lock; empty where another node has it.
    /// </summary>
    ValueTask<IReadOnlyList<LiveNode>> FindDeadNodesAsync(NodeDescription reaper, TimeSpan lockFor, CancellationToken cancellationToken);

    /// <summary>
    /// Removes what is left of a dead node up to its epoch, step by step while the result is read, and gives with each step what it has removed and what
    /// became of each user. A node that has joined again under a higher epoch keeps what is of that.
    /// </summary>
    /// <remarks>
    /// Whoever stops between two steps, or is stopped by a failure, has been told of all that is removed, but for what a step removed whose answer was
    /// lost. The node counts as dead until the last step: what is left is found and removed by the next call.
    /// </remarks>
    IAsyncEnumerable<IReadOnlyList<(DirectorySession Session, Removal Removal)>> RemoveNodeAsync(LiveNode deadNode, CancellationToken cancellationToken);
}
