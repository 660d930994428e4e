using Im.Storage.Relational.Stores;

namespace Im.Storage.Relational.Retention;

/// <summary>Forgets and merges in a relational database, a bite in one transaction on the lanes that write beside the appends.</summary>
internal sealed class RelationalRetentionStore(RelationalLanes lanes, SqlDialect dialect) : IRetentionStore
{
    public ValueTask<RetentionBite> ExpireConversationsAsync(
        string? after, RetentionLimits limits, int maxRows, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.EntriesPerConversation ?? 1, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        return limits is { EntriesBeforeMs: null, EntriesPerConversation: null }
            ? default
            : new(lanes.Write.WriteAsync(
                session => RetentionPass.Run(
                    session, "im_conversations", "conversation_id", after, maxRows, new ConversationExpiry(session, dialect, limits).Expire),
                cancellationToken));
    }

    public ValueTask<RetentionBite> ExpireInboxesAsync(
        string? after, RetentionLimits limits, int maxRows, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limits.EntriesPerInbox ?? 0);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        return limits is { InboxesBeforeMs: null, EntriesPerInbox: null, MergeBeforeMs: null }
            ? default
            : new(lanes.Write.WriteAsync(
                session => RetentionPass.Run(
                    session, "im_inboxes", "user_id", after, maxRows, new InboxExpiry(session, dialect, limits).Expire),
                cancellationToken));
    }

    public ValueTask<RetentionBite> ExpireLogsAsync(RetentionLimits limits, int maxRows, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        return limits is { SentBeforeMs: null, CommitsBeforeMs: null }
            ? default
            : new(lanes.Write.WriteAsync(session => LogExpiry.Expire(session, dialect, limits, maxRows), cancellationToken));
    }
}
