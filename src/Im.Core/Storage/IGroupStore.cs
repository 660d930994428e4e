namespace Im.Storage;

/// <summary>Reads groups. They change only through <see cref="IMessageStore.AppendAsync"/>.</summary>
/// <remarks>A group may have hundreds of thousands of members: each answer says of which membership version it is, and is of exactly that one.</remarks>
public interface IGroupStore
{
    /// <summary>
    /// The groups in order, each at one version; null = no such group. Members come with those that have at most <paramref name="maxMembers"/>.
    /// </summary>
    ValueTask<IReadOnlyList<StoredGroup?>> GetGroupsAsync(
        IReadOnlyList<string> conversationIds, int maxMembers, CancellationToken cancellationToken);

    /// <summary>Which of the users are members, in order, and at which version; null = no such group.</summary>
    ValueTask<FoundMembers?> FindMembersAsync(string conversationId, IReadOnlyList<string> userIds, CancellationToken cancellationToken);

    /// <summary>
    /// Members in the order of their ids' UTF-8 bytes, after one id (null = from the first), at most <paramref name="limit"/>; fewer = these are the
    /// last ones. Null = no such group. Two pages are of one member list only where their versions are equal.
    /// </summary>
    ValueTask<MemberPage?> ReadMembersAsync(string conversationId, string? afterUserId, int limit, CancellationToken cancellationToken);
}
