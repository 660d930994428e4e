namespace Im.Storage.Relational.Retention;

/// <summary>Forgets the oldest chunks of one inbox after the other, whole ones, and merges what is old enough.</summary>
internal sealed class InboxExpiry(SqlSession session, SqlDialect dialect, RetentionLimits limits)
{
    private const string OldestText =
        "SELECT first_seq, last_seq, time_ms FROM im_inbox_chunks WHERE user_id = @p1 AND last_seq >= @p2 ORDER BY last_seq LIMIT @p3";

    private readonly ChunkMerger _merger = new(session, limits);

    private bool HasLimits => limits is not { InboxesBeforeMs: null, EntriesPerInbox: null };

    public KeyBite Expire(string userId, int maxRows)
    {
        // Most inboxes have nothing to do: they are looked at without a lock.
        if (!FindHead(userId, "", out var head, out var floor, out var merged)
            || !(IsOldestOld(userId, head, floor) || _merger.HasWork(userId, Math.Max(merged, floor - 1))))
        {
            return default;
        }

        // Locked, so that two nodes do not work on one inbox at once, and no append moves the head meanwhile.
        if (dialect.LocksRows && !FindHead(userId, dialect.ForUpdate, out head, out floor, out merged))
        {
            return default;
        }

        var deleted = DeleteOldest(userId, head, ref floor, maxRows);
        if (deleted >= maxRows)
        {
            return new KeyBite(deleted, IsUnfinished: true, DeletedChunks: deleted);
        }

        var bite = _merger.Merge(userId, Math.Max(merged, floor - 1), maxRows - deleted);
        return bite with { Rows = bite.Rows + deleted, DeletedChunks = deleted };
    }

    private bool FindHead(string userId, string forUpdate, out long head, out long floor, out long merged)
    {
        var statement = session.Prepare($"SELECT head, floor, merged_seq FROM im_inboxes WHERE user_id = @p1{forUpdate}").AddId(userId);
        var isFound = statement.Read();
        (head, floor, merged) = isFound ? (statement.GetInt64(0), statement.GetInt64(1), statement.GetInt64(2)) : (0, 1, 0);
        statement.Clear();
        return isFound;
    }

    private bool IsOldestOld(string userId, long head, long floor)
    {
        if (!HasLimits)
        {
            return false;
        }

        var statement = session.Prepare(OldestText).AddId(userId).Add(floor).Add(1);
        var isOld = statement.Read() && IsOld(statement.GetInt64(1), statement.GetInt64(2), head);
        statement.Clear();
        return isOld;
    }

    private int DeleteOldest(string userId, long head, ref long floor, int maxRows)
    {
        if (!HasLimits)
        {
            return 0;
        }

        var (count, next, isOld) = (0, floor, true);
        for (var limit = 1; isOld && count < maxRows; limit = 256)
        {
            var statement = session.Prepare(OldestText).AddId(userId).Add(next).Add(Math.Min(limit, maxRows - count));
            isOld = false;
            while (statement.Read() && (isOld = IsOld(statement.GetInt64(1), statement.GetInt64(2), head)))
            {
                next = statement.GetInt64(1) + 1;
                count++;
            }

            statement.Clear();
        }

        if (count > 0)
        {
            session.Prepare("UPDATE im_inboxes SET floor = @p1 WHERE user_id = @p2").Add(next).AddId(userId).Execute();
            session.Prepare("DELETE FROM im_inbox_chunks WHERE user_id = @p1 AND last_seq < @p2").AddId(userId).Add(next).Execute();
            floor = next;
        }

        return count;
    }

    private bool IsOld(long last, long timeMs, long head) =>
        timeMs < (limits.InboxesBeforeMs ?? long.MinValue) || head - last >= (limits.EntriesPerInbox ?? long.MaxValue);
}
