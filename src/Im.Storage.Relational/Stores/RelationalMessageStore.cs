using Im.Storage.Relational.Append;
using Im.Timelines;

namespace Im.Storage.Relational.Stores;

/// <summary>Timelines in a relational database.</summary>
internal sealed class RelationalMessageStore(RelationalLanes lanes) : IMessageStore
{
    /// <summary>Which adapter's store this is.</summary>
    public SqlDialect Dialect => lanes.Append.Dialect;

    /// <summary>Whether this is the store of the given lanes, and not another adapter's.</summary>
    public bool IsOver(RelationalLanes other) => ReferenceEquals(lanes, other);

    public ValueTask<string> GetGenerationAsync(CancellationToken cancellationToken) => new(lanes.Read.ReadAsync(
        static session => MetaRows.Find(session, MetaRows.Generation)
            ?? throw new InvalidDataException("im_meta has no generation: the schema was not initialised."),
        cancellationToken));

    public ValueTask<long> GetLastBatchNumberAsync(string nodeName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(nodeName);
        return new(lanes.Read.ReadAsync(
            session =>
            {
                var statement = session.Prepare("SELECT batch_number FROM im_commits WHERE node_name = @p1 ORDER BY batch_number DESC LIMIT 1");
                statement.AddId(nodeName);
                var last = statement.Read() ? statement.GetInt64(0) : 0;
                statement.Clear();
                return last;
            },
            cancellationToken));
    }

    public ValueTask<AppendResult> AppendAsync(AppendBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<AppendResult>(cancellationToken);
        }

        batch.Validate();
        return new(lanes.Append.RunAsync(worker => Appender.Append(worker, batch), cancellationToken));
    }

    public ValueTask<IReadOnlyList<SentMessage?>> FindSentAsync(IReadOnlyList<SentKey> keys, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return new(lanes.Read.ReadAsync(session => FindSent(session, keys), cancellationToken));
    }

    public ValueTask<IReadOnlyList<TimelineHead>> GetHeadsAsync(IReadOnlyList<TimelineKey> timelines, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(timelines);
        return new(lanes.Read.ReadAsync<IReadOnlyList<TimelineHead>>(session => HeadRows.Read(session, timelines), cancellationToken));
    }

    public ValueTask<IReadOnlyList<InboxPage>> ReadInboxesAsync(IReadOnlyList<InboxRead> reads, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(reads);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<InboxPage>>(cancellationToken);
        }

        foreach (var read in reads)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(read.After.Value, nameof(reads));
            ArgumentOutOfRangeException.ThrowIfLessThan(read.MaxEntries, 1, nameof(reads));
        }

        return new(lanes.Read.ReadAsync<IReadOnlyList<InboxPage>>(session => InboxRows.Read(session, reads), cancellationToken));
    }

    public ValueTask<IReadOnlyList<StoredEntry>> ReadEntriesAsync(
        IReadOnlyList<Run> runs, int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(runs);
        return new(lanes.Read.ReadAsync<IReadOnlyList<StoredEntry>>(
            session => new EntryRows(session).Expand(runs, maxBytes), cancellationToken));
    }

    private static IReadOnlyList<SentMessage?> FindSent(SqlSession session, IReadOnlyList<SentKey> keys)
    {
        var found = new SentMessage?[keys.Count];
        var reader = session.Reader(Tables.FindSent);
        for (var i = 0; i < keys.Count; i++)
        {
            reader.AddId(keys[i].SenderId);
            reader.AddId(keys[i].ClientMessageId);
        }

        while (reader.Read(out var key))
        {
            var sent = SentRow.Read(reader);
            found[key] = new SentMessage(sent.ConversationId, sent.Seq, sent.TimeMs, sent.Hash);
        }

        return found;
    }
}
