using Im.Storage.Relational.Stores;

namespace Im.Storage.Relational.Queue;

/// <summary>The queue of sends, in a relational database. Its lanes are those of other writes, so that appends do not wait for it.</summary>
internal sealed class RelationalSendQueue(RelationalLanes lanes) : ISendQueue
{
    // One statement each, for many rows and for one.
    private const int RowsPerDelete = 100;

    private const string SizesText = "SELECT id, LENGTH(content) FROM im_queued_sends WHERE id > @p1 ORDER BY id LIMIT @p2";

    private const string RowsText =
        "SELECT id, node_name, time_ms, sender_id, client_message_id, conversation_id, content FROM im_queued_sends "
        + "WHERE id > @p1 AND id <= @p2 ORDER BY id";

    private const string StateText =
        "SELECT (SELECT MIN(id) FROM im_queued_sends), (SELECT MAX(id) FROM im_queued_sends), "
        + "(SELECT time_ms FROM im_queued_sends ORDER BY id LIMIT 1), (SELECT id FROM im_queued_sends WHERE node_name = @p1 LIMIT 1)";

    private const string CountText = "SELECT COUNT(*) FROM (SELECT id FROM im_queued_sends ORDER BY id LIMIT @p1) AS q";

    private static readonly string DeleteMany =
        $"DELETE FROM im_queued_sends WHERE id IN ({string.Join(", ", Enumerable.Range(1, RowsPerDelete).Select(i => "@p" + i))})";

    public ValueTask<bool> AddAsync(IReadOnlyList<QueuedSend> sends, long maxRows, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sends);
        return new(lanes.Write.WriteAsync(session => Add(session, sends, maxRows), cancellationToken));
    }

    public ValueTask<IReadOnlyList<QueuedRow>> ReadAsync(long afterId, int maxRows, int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        return new(lanes.Read.ReadAsync<IReadOnlyList<QueuedRow>>(session => Read(session, afterId, maxRows, maxBytes), cancellationToken));
    }

    public ValueTask RemoveAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return new(lanes.Write.WriteAsync(session => Remove(session, ids), cancellationToken));
    }

    public ValueTask<SendQueueState> GetStateAsync(string nodeName, CancellationToken cancellationToken) =>
        new(lanes.Read.ReadAsync(session => ReadState(session, nodeName), cancellationToken));

    public ValueTask<SendQueueLease> TakeLeaseAsync(string owner, SendQueueLease expired, CancellationToken cancellationToken) =>
        new(lanes.Write.WriteAsync(session => QueueLeaseRow.Take(session, lanes.Write.Dialect, owner, expired), cancellationToken));

    public ValueTask ReleaseLeaseAsync(string owner, CancellationToken cancellationToken) =>
        new(lanes.Write.WriteAsync(session => QueueLeaseRow.Release(session, lanes.Write.Dialect, owner), cancellationToken));

    private static bool Add(SqlSession session, IReadOnlyList<QueuedSend> sends, long maxRows)
    {
        // The numbers say cheaply that there is room; rows are only counted where holes in them could hide it.
        if (ReadState(session, "").Rows + sends.Count > maxRows && Count(session, maxRows) + sends.Count > maxRows)
        {
            return false;
        }

        var writer = session.Writer(Tables.QueuedSends);
        foreach (var send in sends)
        {
            writer.AddId(send.NodeName);
            writer.Add(send.TimeMs);
            writer.AddId(send.SenderId);
            writer.AddId(send.ClientMessageId);
            writer.AddId(send.ConversationId);
            writer.Add(send.Content.Span);
            writer.EndRow();
        }

        writer.Flush();
        return true;
    }

    private static long Count(SqlSession session, long limit)
    {
        var statement = session.Prepare(CountText).Add(limit);
        var count = statement.Read() ? statement.GetInt64(0) : 0;
        statement.Clear();
        return count;
    }

    private static List<QueuedRow> Read(SqlSession session, long afterId, int maxRows, int maxBytes)
    {
        var rows = new List<QueuedRow>();
        var last = FindLast(session, afterId, maxRows, maxBytes);
        if (last == 0)
        {
            return rows;
        }

        var statement = session.Prepare(RowsText).Add(afterId).Add(last);
        while (statement.Read())
        {
            rows.Add(new QueuedRow(statement.GetInt64(0), new QueuedSend
            {
                NodeName = statement.GetId(1),
                TimeMs = statement.GetInt64(2),
                SenderId = statement.GetId(3),
                ClientMessageId = statement.GetId(4),
                ConversationId = statement.GetId(5),
                Content = statement.GetBytes(6).ToArray(),
            }));
        }

        return rows;
    }

    // The last row that fits; both statements see one moment.
    private static long FindLast(SqlSession session, long afterId, int maxRows, int maxBytes)
    {
        var (last, bytes) = (0L, 0L);
        var statement = session.Prepare(SizesText).Add(afterId).Add(maxRows);
        while (statement.Read())
        {
            bytes += statement.GetInt64(1);
            if (last > 0 && bytes > maxBytes)
            {
                break;
            }

            last = statement.GetInt64(0);
        }

        statement.Clear();
        return last;
    }

    private static SendQueueState ReadState(SqlSession session, string nodeName)
    {
        var statement = session.Prepare(StateText).AddId(nodeName);
        var state = statement.Read() && !statement.IsNull(0)
            ? new SendQueueState(statement.GetInt64(1) - statement.GetInt64(0) + 1, statement.GetNullableInt64(2), !statement.IsNull(3))
            : default;
        statement.Clear();
        return state;
    }

    private static bool Remove(SqlSession session, IReadOnlyList<long> ids)
    {
        var next = 0;
        for (; ids.Count - next >= RowsPerDelete; next += RowsPerDelete)
        {
            var many = session.Prepare(DeleteMany);
            for (var i = 0; i < RowsPerDelete; i++)
            {
                many.Add(ids[next + i]);
            }

            many.Execute();
        }

        for (; next < ids.Count; next++)
        {
            session.Prepare("DELETE FROM im_queued_sends WHERE id = @p1").Add(ids[next]).Execute();
        }

        return true;
    }
}
