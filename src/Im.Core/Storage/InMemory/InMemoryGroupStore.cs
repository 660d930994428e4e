namespace Im.Storage.InMemory;

/// <summary>Groups in memory.</summary>
internal sealed class InMemoryGroupStore : IGroupStore
{
    private readonly InMemoryState _state;

    internal InMemoryGroupStore(InMemoryState state) => _state = state;

    public ValueTask<IReadOnlyList<StoredGroup?>> GetGroupsAsync(
        IReadOnlyList<string> conversationIds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(conversationIds);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<StoredGroup?>>(cancellationToken);
        }

        var groups = new StoredGroup?[conversationIds.Count];
        lock (_state.Gate)
        {
            for (var i = 0; i < groups.Length; i++)
            {
                // Only groups have an info; direct and own conversations are none.
                if (_state.Conversations.TryGetValue(conversationIds[i], out var group) && group.Info is { } info)
                {
                    groups[i] = new StoredGroup(
                        group.Id, info, group.Version, group.Fanout, group.FanoutPinned, group.IsDissolved, group.Present);
                }
            }
        }

        return new ValueTask<IReadOnlyList<StoredGroup?>>(groups);
    }
}
