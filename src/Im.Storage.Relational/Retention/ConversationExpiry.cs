namespace Im.Storage.Relational.Retention;

/// <summary>Forgets the oldest entries of one conversation after the other, never the newest of one.</summary>
internal sealed class ConversationExpiry(SqlSession session, SqlDialect dialect, RetentionLimits limits)
{
    private const string TimesText =
        "SELECT time_ms FROM im_entries WHERE conversation_id = @p1 AND seq >= @p2 ORDER BY seq LIMIT @p3";

    public KeyBite Expire(string conversationId, int maxRows)
    {
        // Most conversations have nothing to do: they are looked at without a lock. Locked and looked at again where there is, so that two nodes that
        // meet at one conversation do not both believe that they delete the same entries.
        var count = Look(conversationId, "", maxRows, out var keepsFrom);
        if (count > 0 && dialect.LocksRows)
        {
            count = Look(conversationId, dialect.ForUpdate, maxRows, out keepsFrom);
        }

        if (count <= 0)
        {
            return default;
        }

        session.Prepare("UPDATE im_conversations SET floor = @p1 WHERE conversation_id = @p2").Add(keepsFrom).AddId(conversationId).Execute();
        var deleted = session.Prepare("DELETE FROM im_entries WHERE conversation_id = @p1 AND seq < @p2")
            .AddId(conversationId).Add(keepsFrom).Execute();
        return new KeyBite(count, count >= maxRows, DeletedEntries: deleted);
    }

    private int Look(string conversationId, string forUpdate, int maxRows, out long keepsFrom)
    {
        var statement = session.Prepare($"SELECT head, floor FROM im_conversations WHERE conversation_id = @p1{forUpdate}").AddId(conversationId);
        var (head, floor) = statement.Read() ? (statement.GetInt64(0), statement.GetInt64(1)) : (0, 1);
        statement.Clear();
        keepsFrom = FindFirstKept(conversationId, head, floor, maxRows);
        return (int)(keepsFrom - floor);
    }

    private long FindFirstKept(string conversationId, long head, long floor, int maxRows)
    {
        // The newest entry stays, whatever its age.
        var end = Math.Min(head, floor + maxRows);
        var first = floor;
        if (limits.EntriesPerConversation is { } keep)
        {
            first = Math.Max(first, Math.Min(head - keep + 1, end));
        }

        if (limits.EntriesBeforeMs is not { } before || first >= end)
        {
            return first;
        }

        // Mostly the oldest entry is young enough: one row says so.
        for (var limit = 1; first < end; limit = 256)
        {
            var statement = session.Prepare(TimesText).AddId(conversationId).Add(first).Add(Math.Min(limit, end - first));
            var isOld = false;
            while (statement.Read() && (isOld = statement.GetInt64(0) < before))
            {
                first++;
            }

            statement.Clear();
            if (!isOld)
            {
                break;
            }
        }

        return first;
    }
}
