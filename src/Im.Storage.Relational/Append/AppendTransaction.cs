using Im.Model;
using Im.Timelines;
using static Im.Storage.ConversationChange;

namespace Im.Storage.Relational.Append;

/// <summary>One run of one append inside an open transaction; commits nothing itself.</summary>
/// <remarks>
/// The order inside: (1) heads, locked and compared; (2) which ids are claimed already; (3) item by item: version, does it change anything, number,
/// write; (4) inbox chunks, heads, read parts; (5) the commit-log row. The head locks serialise every writer of a conversation, so what is read about it
/// afterwards stays true until the commit.
/// </remarks>
internal sealed class AppendTransaction
{
    private readonly SqlSession _session;
    private readonly SqlDialect _dialect;
    private readonly AppendBatch _batch;
    private readonly byte[] _writerId;
    private readonly long _nowMs;
    private readonly AppendBuffers _buffers;
    private readonly BatchState _state;
    private readonly SentClaims _claims;
    private readonly ReadPartRows _parts;
    private readonly GroupRows _groups;
    private readonly ReadMarkRows _marks;

    public AppendTransaction(SqlSession session, SqlDialect dialect, AppendBatch batch, byte[] writerId, long nowMs)
    {
        _session = session;
        _dialect = dialect;
        _batch = batch;
        _writerId = writerId;
        _nowMs = nowMs;
        _buffers = session.Slot(static _ => new AppendBuffers());
        _buffers.Ids.Fill(batch.Timelines);
        _state = new BatchState(batch);
        _claims = new SentClaims(session);
        _parts = new ReadPartRows(session);
        _groups = new GroupRows(session, _parts);
        _marks = new ReadMarkRows(session, _state);
    }

    /// <summary>After <see cref="Run"/>: head rows are missing that must exist before they can be locked. Nothing was written.</summary>
    public bool MissesRows { get; private set; }

    /// <summary>After <see cref="Run"/>: another transaction claimed one of the ids in the meantime. Roll back and run again.</summary>
    public bool LostClaims { get; private set; }

    /// <summary>Does everything but the commit.</summary>
    public AppendResult Run()
    {
        if (!ReadHeads())
        {
            return new AppendResult { Committed = false, Heads = _state.Heads };
        }

        var numbering = new BatchNumbering(_batch, _state.Heads, _state.Ordinals);
        _claims.Read(_batch.Items);
        var results = new AppendItemResult[_batch.Items.Count];
        for (var i = 0; i < results.Length; i++)
        {
            results[i] = AppendItem(numbering, i);
        }

        var numbered = numbering.Complete();
        if (numbered.Runs.Count > 0)
        {
            Finish(numbered);
        }

        return new AppendResult
        {
            Committed = true,
            Heads = numbered.Heads,
            Items = results,
            Runs = numbered.Runs,
            Classes = numbered.Classes,
        };
    }

    /// <summary>Creates the head rows that are missing, as empty timelines, in a transaction of its own.</summary>
    public static void CreateMissingRows(SqlSession session, AppendBatch batch)
    {
        session.BeginWrite();
        var order = new TimelineOrder(batch.Timelines, sorted: true);
        var conversations = session.Writer(Tables.MissingConversations);
        foreach (var timeline in order.Conversations)
        {
            conversations.AddId(batch.Timelines[timeline].Id);
            conversations.Add(0);
            conversations.Add(1);
            conversations.Add(0);
            conversations.Add(0);
            conversations.EndRow();
        }

        conversations.Flush();
        var inboxes = session.Writer(Tables.MissingInboxes);
        foreach (var timeline in order.Inboxes)
        {
            inboxes.AddId(batch.Timelines[timeline].Id);
            inboxes.Add(0);
            inboxes.Add(1);
            inboxes.EndRow();
        }

        inboxes.Flush();
        session.Commit();
    }

    private bool ReadHeads()
    {
        var order = new TimelineOrder(_batch.Timelines, _dialect.LocksRows);
        var found = 0;
        var reader = _session.Reader(Tables.ConversationHeads);
        foreach (var timeline in order.Conversations)
        {
            reader.Add(_buffers.Ids[timeline]);
        }

        while (reader.Read(out var key))
        {
            var timeline = order.Conversations[key];
            _state.Heads[timeline] = reader.GetInt64(0);
            _state.Ordinals[timeline] = reader.GetInt64(1);
            _state.Versions[timeline] = reader.GetInt64(2);
            found++;
        }

        reader = _session.Reader(Tables.InboxHeads);
        foreach (var timeline in order.Inboxes)
        {
            reader.Add(_buffers.Ids[timeline]);
        }

        while (reader.Read(out var key))
        {
            _state.Heads[order.Inboxes[key]] = reader.GetInt64(0);
            found++;
        }

        MissesRows = _dialect.LocksRows && found < _state.Heads.Length;
        var proposed = _batch.ProposedHeads.Span;
        for (var i = 0; i < proposed.Length; i++)
        {
            if (proposed[i] != ISequenceAllocator.Unknown && proposed[i] != _state.Heads[i])
            {
                MissesRows = false;
                return false;
            }
        }

        return !MissesRows;
    }

    private AppendItemResult AppendItem(BatchNumbering numbering, int index)
    {
        var item = _batch.Items[index];
        var timeline = numbering.TimelineOf(index);
        var version = _state.Versions[timeline];
        if (_claims.Find(item) is { } sent)
        {
            return sent.Hash == item.Hash
                ? new(AppendOutcome.Duplicate, sent.ConversationId, sent.Seq, sent.Ordinal, sent.TimeMs, VersionOf(sent, item, version))
                : NotStored(AppendOutcome.ClientIdReused, item, version);
        }

        var exists = _state.Heads[timeline] > 0;
        var mustExist = item.Change is not CreateGroup && ConversationId.IsGroup(item.ConversationId);
        if (item.ExpectedVersion != version || (mustExist && !exists) || (item.Change is CreateGroup && exists))
        {
            return NotStored(AppendOutcome.StaleVersion, item, version);
        }

        if (item.Change is MoveReadMark move)
        {
            if (!_marks.Prepare(item, move))
            {
                return NotStored(AppendOutcome.Unchanged, item, version) with { Seq = _marks.ReadSeq, Ordinal = _marks.Unread };
            }
        }
        else if (item.Change is not null && !_groups.Prepare(item.ConversationId, item.Change))
        {
            return NotStored(AppendOutcome.Unchanged, item, version);
        }

        var (seq, ordinal) = numbering.Append(index);
        _state.Stored(index, timeline, seq, ordinal);
        WriteEntry(item, timeline, seq, ordinal);
        if (!exists && item.Change is not CreateGroup)
        {
            // Unlike a group's join entry the first entry here may be a message, which the receiver has not read: the ordinal before it.
            _groups.Join(item.ConversationId, item.GetFirstMembers(), seq, ordinal: 0);
        }

        var answered = ordinal;
        if (item.Change is MoveReadMark)
        {
            answered = _marks.Apply();
        }
        else if (item.Change is not null)
        {
            _groups.Apply(item.ConversationId, item.Change, seq, ordinal);
            _state.Versions[timeline] = ++version;
        }
        else if (item is { Kind: EntryKind.Message, IsImported: false })
        {
            _state.OwnOrdinals[(timeline, item.SenderId)] = ordinal;
        }

        _claims.Claim(item, seq, answered, _nowMs);
        return new(AppendOutcome.Stored, item.ConversationId, seq, answered, item.TimeMs, version);
    }

    private void WriteEntry(AppendItem item, int timeline, ConversationSeq seq, long ordinal)
    {
        var writer = _session.Writer(Tables.Entries);
        writer.Add(_buffers.Ids[timeline]);
        writer.Add(seq.Value);
        writer.Add(ordinal);
        writer.AddId(item.SenderId);
        writer.AddId(item.SenderDeviceId);
        writer.AddId(item.ClientMessageId);
        writer.Add(item.TimeMs);
        writer.Add((long)item.Kind);
        writer.Add(item.CountsAsUnread ? Tables.Counts : 0);
        writer.Add(item.Body.Span);
        writer.EndRow();
    }

    private void Finish(NumberedBatch numbered)
    {
        _session.Writer(Tables.Entries).Flush();
        LostClaims = !_claims.Flush();
        if (LostClaims)
        {
            return;
        }

        new TimelineRows(_session, _batch, _buffers, _state, _writerId).Write(numbered, _nowMs);
        _parts.Write(numbered.Classes);
    }

    private long VersionOf(SentRow sent, AppendItem item, long version)
    {
        if (string.Equals(sent.ConversationId, item.ConversationId, StringComparison.Ordinal))
        {
            return version;
        }

        var statement = _session.Prepare("SELECT version FROM im_conversations WHERE conversation_id = @p1").AddId(sent.ConversationId);
        var found = statement.Read() ? statement.GetInt64(0) : 0;
        statement.Clear();
        return found;
    }

    private static AppendItemResult NotStored(AppendOutcome outcome, AppendItem item, long version) =>
        new(outcome, item.ConversationId, default, 0, item.TimeMs, version);
}
