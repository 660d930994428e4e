using Im.Cluster;

namespace Im.Core.Tests.Cluster;

/// <summary>The directory as one node reaches it; what a test wants to fail fails.</summary>
internal sealed class FaultyDirectory(InMemoryCluster cluster) : ISessionDirectory
{
    private readonly InMemorySessionDirectory _inner = new(cluster);

    /// <summary>Whether a call fails, by the method's name without Async.</summary>
    public Func<string, bool> Fails { get; set; } = _ => false;

    public ValueTask<NodeJoined> JoinAsync(NodeDescription node, TimeSpan lease, CancellationToken cancellationToken)
    {
        Try("Join");
        return _inner.JoinAsync(node, lease, cancellationToken);
    }

    public ValueTask<IReadOnlyList<LiveNode>?> RenewAsync(NodeDescription node, long epoch, TimeSpan lease, CancellationToken cancellationToken)
    {
        Try("Renew");
        return _inner.RenewAsync(node, epoch, lease, cancellationToken);
    }

    public ValueTask LeaveAsync(string nodeName, long epoch, CancellationToken cancellationToken)
    {
        Try("Leave");
        return _inner.LeaveAsync(nodeName, epoch, cancellationToken);
    }

    public ValueTask<IReadOnlyList<Registration>> RegisterAsync(IReadOnlyList<DirectorySession> sessions, CancellationToken cancellationToken)
    {
        Try("Register");
        return _inner.RegisterAsync(sessions, cancellationToken);
    }

    public ValueTask<IReadOnlyList<Removal>> RemoveAsync(IReadOnlyList<DirectorySession> sessions, CancellationToken cancellationToken)
    {
        Try("Remove");
        return _inner.RemoveAsync(sessions, cancellationToken);
    }

    public ValueTask<IReadOnlyList<UserSessions>> FindAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        Try("Find");
        return _inner.FindAsync(userIds, cancellationToken);
    }

    public ValueTask<OnlinePage> ListAsync(string? cursor, int limit, CancellationToken cancellationToken)
    {
        Try("List");
        return _inner.ListAsync(cursor, limit, cancellationToken);
    }

    public ValueTask<IReadOnlyList<LiveNode>> FindDeadNodesAsync(NodeDescription reaper, TimeSpan lockFor, CancellationToken cancellationToken)
    {
        Try("FindDeadNodes");
        return _inner.FindDeadNodesAsync(reaper, lockFor, cancellationToken);
    }

    public IAsyncEnumerable<IReadOnlyList<(DirectorySession Session, Removal Removal)>> RemoveNodeAsync(
        LiveNode deadNode, CancellationToken cancellationToken)
    {
        Try("RemoveNode");
        return _inner.RemoveNodeAsync(deadNode, cancellationToken);
    }

    private void Try(string method)
    {
        if (Fails(method))
        {
            throw new ImClusterException($"{method} fails, as the test wants.");
        }
    }
}
