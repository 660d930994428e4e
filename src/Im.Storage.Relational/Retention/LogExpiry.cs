namespace Im.Storage.Relational.Retention;

/// <summary>Forgets sent ids and commit-log rows, but for each node's newest.</summary>
internal static class LogExpiry
{
    private const string CommitsText =
        "SELECT batch_number, time_ms FROM im_commits WHERE node_name = @p1 AND batch_number < @p2 ORDER BY batch_number LIMIT @p3";

    public static RetentionBite Expire(SqlSession session, SqlDialect dialect, RetentionLimits limits, int maxRows)
    {
        var deleted = 0;
        if (limits.SentBeforeMs is { } sentBefore)
        {
            deleted += session.Prepare(dialect.DeleteSome("im_sent", "sender_id, client_message_id", "claimed_ms < @p1", "claimed_ms", "@p2"))
                .Add(sentBefore).Add(maxRows).Execute();
        }

        if (limits.CommitsBeforeMs is { } commitsBefore)
        {
            for (var node = NextNode(session, ""); node is not null && deleted < maxRows; node = NextNode(session, node))
            {
                deleted += ExpireNode(session, node, commitsBefore, maxRows - deleted);
            }
        }

        return new RetentionBite(deleted >= maxRows ? "" : null, DeletedRows: deleted);
    }

    private static string? NextNode(SqlSession session, string after)
    {
        var statement = session.Prepare("SELECT node_name FROM im_commits WHERE node_name > @p1 ORDER BY node_name LIMIT 1").AddId(after);
        var node = statement.Read() ? statement.GetId(0) : null;
        statement.Clear();
        return node;
    }

    private static int ExpireNode(SqlSession session, string node, long beforeMs, int maxRows)
    {
        var statement = session.Prepare("SELECT batch_number FROM im_commits WHERE node_name = @p1 ORDER BY batch_number DESC LIMIT 1").AddId(node);
        var newest = statement.Read() ? statement.GetInt64(0) : 0;
        statement.Clear();

        long? last = null;
        statement = session.Prepare(CommitsText).AddId(node).Add(newest).Add(maxRows);
        while (statement.Read() && statement.GetInt64(1) < beforeMs)
        {
            last = statement.GetInt64(0);
        }

        statement.Clear();
        return last is { } upTo
            ? session.Prepare("DELETE FROM im_commits WHERE node_name = @p1 AND batch_number <= @p2").AddId(node).Add(upTo).Execute()
            : 0;
    }
}
