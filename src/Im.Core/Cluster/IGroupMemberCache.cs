namespace Im.Cluster;

/// <summary>The members of very large groups, shared by the nodes, so that the store is not asked for each sender. The store stays the truth.</summary>
/// <remarks>
/// A cache that holds another membership version, or none, or is away answers null: then the store is asked. Filling goes page by page and counts only
/// when it is complete. All methods are safe to call at once from many threads; failures are <see cref="ImClusterException"/>.
/// </remarks>
public interface IGroupMemberCache
{
    /// <summary>For each user whether the group has it as a member at exactly this version; null = the cache does not hold that version.</summary>
    ValueTask<IReadOnlyList<bool>?> FindAsync(
        string conversationId, long version, IReadOnlyList<string> userIds, CancellationToken cancellationToken);

    /// <summary>Moves a cache that holds <paramref name="fromVersion"/> to the next version; one that holds another one is left as it is.</summary>
    ValueTask ChangeAsync(
        string conversationId, long fromVersion, IReadOnlyList<string> added, IReadOnlyList<string> removed, CancellationToken cancellationToken);

    /// <summary>Begins to fill; false: this version is held, or another node is filling. A fill that stops half-way is forgotten after a while.</summary>
    ValueTask<bool> BeginFillAsync(string conversationId, long version, string filler, CancellationToken cancellationToken);

    /// <summary>Adds a page of members to a fill.</summary>
    ValueTask AddAsync(string conversationId, long version, string filler, IReadOnlyList<string> userIds, CancellationToken cancellationToken);

    /// <summary>The fill is complete: the cache holds this version. False: the fill was lost meanwhile.</summary>
    ValueTask<bool> CompleteFillAsync(string conversationId, long version, string filler, CancellationToken cancellationToken);

    /// <summary>Forgets a group, whatever is held or being filled.</summary>
    ValueTask ForgetAsync(string conversationId, CancellationToken cancellationToken);
}
