using Im.Timelines;

namespace Im.Storage;

/// <summary>Timelines and the messages in them. <see cref="AppendAsync"/> is the only write that makes entries.</summary>
/// <remarks>
/// All methods are safe to call at once from many threads. Failures are <see cref="ImStorageException"/> and nothing else.
/// Readers never see a part of a commit: whoever reads a head can read every entry up to it.
/// </remarks>
public interface IMessageStore
{
    /// <summary>
    /// The random id of this store's life. Another value tells devices that their cursors mean nothing any more.
    /// </summary>
    ValueTask<string> GetGenerationAsync(CancellationToken cancellationToken);

    /// <summary>The number of the node's last commit, from its commit log, which goes on over restarts; 0 = it never committed.</summary>
    ValueTask<long> GetLastBatchNumberAsync(string nodeName, CancellationToken cancellationToken);

    /// <summary>Appends a batch in one transaction: claim ids, number, append to conversations and inboxes, apply changes.</summary>
    /// <remarks>
    /// All or nothing for the batch; inside it items fail one by one (duplicate, stale version, reused id, unchanged) without
    /// taking a seq and without disturbing the others. Numbers have no holes. A proposed head that is not the true one fails the whole
    /// batch. Direct and own conversations are created by their first item (<see cref="AppendItem.GetFirstMembers"/>). A cancelled call has
    /// appended all or nothing.
    /// A failure is safe to try again with the same batch, unless it is <see cref="ImStorageFailure.OutcomeUnknown"/>: then the ids that the
    /// batch claimed answer what became of it. A store that loses its connection while committing finds out itself, from its commit log.
    /// </remarks>
    ValueTask<AppendResult> AppendAsync(AppendBatch batch, CancellationToken cancellationToken);

    /// <summary>What was stored under the given ids, in order; null = nothing.</summary>
    ValueTask<IReadOnlyList<SentMessage?>> FindSentAsync(IReadOnlyList<SentKey> keys, CancellationToken cancellationToken);

    /// <summary>The heads of the given timelines, in order; empty heads for timelines that do not exist.</summary>
    ValueTask<IReadOnlyList<TimelineHead>> GetHeadsAsync(IReadOnlyList<TimelineKey> timelines, CancellationToken cancellationToken);

    /// <summary>For each request the runs that follow its cursor, oldest first; contiguous in the inbox's seqs.</summary>
    ValueTask<IReadOnlyList<InboxPage>> ReadInboxesAsync(IReadOnlyList<InboxRead> reads, CancellationToken cancellationToken);

    /// <summary>
    /// Expands runs to entries in order, up to <paramref name="maxBytes"/> of bodies in all but at least one entry. An entry whose body is not
    /// kept is returned as gone, one below the floor as <see cref="StoredEntry.Forgotten"/>; a run beyond its conversation's head throws <see cref="ArgumentOutOfRangeException"/>.
    /// </summary>
    ValueTask<IReadOnlyList<StoredEntry>> ReadEntriesAsync(IReadOnlyList<Run> runs, int maxBytes, CancellationToken cancellationToken);
}

/// <summary>Names a sent message.</summary>
public readonly record struct SentKey(string SenderId, string ClientMessageId);

/// <summary>What is kept of a sent message for deduplication, longer than any client resends.</summary>
public sealed record SentMessage(string ConversationId, ConversationSeq Seq, long TimeMs, ContentHash Hash);

/// <summary>Asks for the runs after a cursor.</summary>
/// <param name="UserId">Whose inbox.</param>
/// <param name="After">The last entry that the reader has; 0 = none.</param>
/// <param name="MaxEntries">At most so many entries; at least 1.</param>
public readonly record struct InboxRead(string UserId, InboxSeq After, int MaxEntries);

/// <summary>Runs of one inbox. The first entry's seq is the request's cursor + 1, unless that is below the floor.</summary>
/// <param name="First">The seq of the first entry.</param>
/// <param name="Runs">The runs in order; empty at the head.</param>
/// <param name="Head">The inbox's head row, read together with the runs.</param>
public sealed record InboxPage(InboxSeq First, IReadOnlyList<Run> Runs, TimelineHead Head);
