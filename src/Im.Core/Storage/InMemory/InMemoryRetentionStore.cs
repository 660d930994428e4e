namespace Im.Storage.InMemory;

/// <summary>Forgets what is past keeping, in memory. Small chunks cost nothing here, so none are merged.</summary>
internal sealed class InMemoryRetentionStore : IRetentionStore
{
    private readonly InMemoryState _state;

    internal InMemoryRetentionStore(InMemoryState state) => _state = state;

    public ValueTask<RetentionBite> ExpireConversationsAsync(
        string? after, RetentionLimits limits, int maxRows, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.EntriesPerConversation ?? 1, 1);
        return limits is { EntriesBeforeMs: null, EntriesPerConversation: null }
            ? default
            : RunPass(after, maxRows, _state.ConversationIds, (id, rows) =>
            {
                var conversation = _state.Conversations[id];
                var count = conversation.CountExpired(limits, rows);
                if (count > 0)
                {
                    conversation.Forget(count);
                }

                return new RetentionBite(null, DeletedEntries: count);
            }, cancellationToken);
    }

    public ValueTask<RetentionBite> ExpireInboxesAsync(
        string? after, RetentionLimits limits, int maxRows, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limits.EntriesPerInbox ?? 0);
        return limits is { InboxesBeforeMs: null, EntriesPerInbox: null }
            ? default
            : RunPass(
                after,
                maxRows,
                _state.UserIds,
                (id, rows) => new RetentionBite(null, DeletedChunks: _state.Users[id].Expire(limits, rows)),
                cancellationToken);
    }

    public ValueTask<RetentionBite> ExpireLogsAsync(RetentionLimits limits, int maxRows, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<RetentionBite>(cancellationToken);
        }

        lock (_state.Gate)
        {
            // Of commits only each node's last number is kept.
            var deleted = limits.SentBeforeMs is { } before ? _state.Sent.Expire(before, maxRows) : 0;
            return new ValueTask<RetentionBite>(new RetentionBite(deleted == maxRows ? "" : null, DeletedRows: deleted));
        }
    }

    // Each key costs a row to look at, and as many as were deleted of it.
    private ValueTask<RetentionBite> RunPass(
        string? after, int maxRows, SortedSet<string> keys, Func<string, int, RetentionBite> expire, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<RetentionBite>(cancellationToken);
        }

        lock (_state.Gate)
        {
            var (entries, chunks) = (0, 0);
            var at = after ?? "";
            if (keys.Count > 0 && string.CompareOrdinal(at, keys.Max) < 0)
            {
                foreach (var key in keys.GetViewBetween(at, keys.Max))
                {
                    if (key == at)
                    {
                        continue;
                    }

                    var done = expire(key, maxRows - entries - chunks);
                    entries += done.DeletedEntries;
                    chunks += done.DeletedChunks;
                    maxRows--;
                    if (entries + chunks >= maxRows)
                    {
                        // Perhaps not all of this key: it is looked at again, unless there was nothing to delete.
                        var isDone = done is { DeletedEntries: 0, DeletedChunks: 0 };
                        return new ValueTask<RetentionBite>(new RetentionBite(isDone ? key : at, entries, chunks));
                    }

                    at = key;
                }
            }

            return new ValueTask<RetentionBite>(new RetentionBite(null, entries, chunks));
        }
    }
}
