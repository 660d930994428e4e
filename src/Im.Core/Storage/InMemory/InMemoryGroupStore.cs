using System.Diagnostics.CodeAnalysis;

namespace Im.Storage.InMemory;

/// <summary>Groups in memory.</summary>
internal sealed class InMemoryGroupStore : IGroupStore
{
    private readonly InMemoryState _state;

    internal InMemoryGroupStore(InMemoryState state) => _state = state;

    public ValueTask<IReadOnlyList<StoredGroup?>> GetGroupsAsync(
        IReadOnlyList<string> conversationIds, int maxMembers, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(conversationIds);
        ArgumentOutOfRangeException.ThrowIfNegative(maxMembers);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<StoredGroup?>>(cancellationToken);
        }

        var groups = new StoredGroup?[conversationIds.Count];
        lock (_state.Gate)
        {
            for (var i = 0; i < groups.Length; i++)
            {
                if (TryGet(conversationIds[i], out var group))
                {
                    groups[i] = new StoredGroup(
                        group.Id,
                        group.Info!,
                        group.Version,
                        group.Fanout,
                        group.FanoutPinned,
                        group.IsDissolved,
                        group.MemberCount,
                        group.MemberCount <= maxMembers ? group.Present : default);
                }
            }
        }

        return new ValueTask<IReadOnlyList<StoredGroup?>>(groups);
    }

    public ValueTask<FoundMembers?> FindMembersAsync(
        string conversationId, IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(conversationId);
        ArgumentNullException.ThrowIfNull(userIds);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<FoundMembers?>(cancellationToken);
        }

        lock (_state.Gate)
        {
            return new(TryGet(conversationId, out var group)
                ? new FoundMembers(group.Version, [.. userIds.Select(group.IsPresent)])
                : null);
        }
    }

    public ValueTask<MemberPage?> ReadMembersAsync(
        string conversationId, string? afterUserId, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(conversationId);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<MemberPage?>(cancellationToken);
        }

        lock (_state.Gate)
        {
            return new(TryGet(conversationId, out var group) ? new MemberPage(group.Version, group.ReadPresent(afterUserId, limit)) : null);
        }
    }

    // Only groups have an info; direct and own conversations are none.
    private bool TryGet(string conversationId, [NotNullWhen(true)] out ConversationState? group) =>
        _state.Conversations.TryGetValue(conversationId, out group) && group.Info is not null;
}
