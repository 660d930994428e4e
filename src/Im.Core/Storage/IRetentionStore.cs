namespace Im.Storage;

/// <summary>Forgets what is past keeping and tidies up, in small bites, each one short transaction beside the appends.</summary>
/// <remarks>
/// Heads stay for ever; floors only rise. An entry below its conversation's floor is answered as gone, whoever asks; an inbox page never begins
/// below the inbox's floor. Chunks are forgotten whole, so an inbox may keep somewhat more than its limit, never less. The newest entry of a
/// conversation is always kept, so that conversation lists can show it. Several nodes may call at once; a bite that finds nothing to do is cheap.
/// Limits of time and of count are both applied: what either of them forgets is forgotten. Only the oldest go: the first entry or chunk that is within
/// the limits keeps all that follow it, also older ones that were imported after it.
/// A read mark that is moved below the floor counts as one at floor − 1: its ordinal is that of the floor's entry, less that entry where it counts.
/// </remarks>
public interface IRetentionStore
{
    /// <summary>Raises floors of conversations and deletes entries below them, conversations in the order of their ids.</summary>
    /// <param name="after">Where the pass stands: null at first, then <see cref="RetentionBite.Next"/>, which may name the same place again.</param>
    /// <param name="limits">What is past keeping.</param>
    /// <param name="maxRows">At most so many rows are looked at or deleted; at least 1.</param>
    /// <param name="cancellationToken">Cancelled, the bite was done or not done.</param>
    ValueTask<RetentionBite> ExpireConversationsAsync(string? after, RetentionLimits limits, int maxRows, CancellationToken cancellationToken);

    /// <summary>Raises floors of inboxes, deletes chunks below them, and merges neighbouring small chunks into one, inboxes in the order of their users.</summary>
    ValueTask<RetentionBite> ExpireInboxesAsync(string? after, RetentionLimits limits, int maxRows, CancellationToken cancellationToken);

    /// <summary>
    /// Forgets sent ids and commit-log rows, but for each node's newest. Call again while <see cref="RetentionBite.Next"/> is not null.
    /// </summary>
    ValueTask<RetentionBite> ExpireLogsAsync(RetentionLimits limits, int maxRows, CancellationToken cancellationToken);
}

/// <summary>What is past keeping. Times are unix milliseconds UTC; null = keep for ever.</summary>
public sealed record RetentionLimits
{
    /// <summary>Entries older than this (<see cref="StoredEntry.TimeMs"/>) are forgotten.</summary>
    public long? EntriesBeforeMs { get; init; }

    /// <summary>So many of the newest entries of each conversation are kept; at least 1.</summary>
    public int? EntriesPerConversation { get; init; }

    /// <summary>Inbox chunks older than this (<see cref="AppendBatch.TimeMs"/>) are forgotten.</summary>
    public long? InboxesBeforeMs { get; init; }

    /// <summary>At least so many of the newest entries of each inbox are kept.</summary>
    public int? EntriesPerInbox { get; init; }

    /// <summary>Ids of sends claimed before this, by the store's clock, are forgotten: a resend after that is stored again.</summary>
    public long? SentBeforeMs { get; init; }

    /// <summary>Commit-log rows older than this, by the store's clock, are forgotten.</summary>
    public long? CommitsBeforeMs { get; init; }

    /// <summary>Chunks older than this are merged with their neighbours; null = no merging.</summary>
    public long? MergeBeforeMs { get; init; }

    /// <summary>A merged chunk has at most so many entries.</summary>
    public int MergedChunkEntries { get; init; } = 256;
}

/// <summary>What one bite did.</summary>
/// <param name="Next">Where the pass goes on; null = it is at its end.</param>
/// <param name="DeletedEntries">Entries that were deleted.</param>
/// <param name="DeletedChunks">Inbox chunks that were deleted.</param>
/// <param name="MergedChunks">Inbox chunks that went into others.</param>
/// <param name="DeletedRows">Sent ids and commit-log rows that were deleted.</param>
public readonly record struct RetentionBite(
    string? Next, int DeletedEntries = 0, int DeletedChunks = 0, int MergedChunks = 0, int DeletedRows = 0);
