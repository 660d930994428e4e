namespace Im.Storage.Relational.Retention;

/// <summary>One bite of a pass over head rows, in the order of their keys.</summary>
internal static class RetentionPass
{
    // A bite over many quiet timelines asks for their keys in pages.
    private const int KeysAtOnce = 256;

    /// <summary>Each key costs a row to look at, and as many as were touched of it.</summary>
    /// <param name="session">Inside a write transaction.</param>
    /// <param name="table">The table of head rows.</param>
    /// <param name="column">Its key.</param>
    /// <param name="after">Where the pass stands.</param>
    /// <param name="maxRows">What the bite may cost.</param>
    /// <param name="expire">Does one key: its id and what may be spent.</param>
    public static RetentionBite Run(
        SqlSession session, string table, string column, string? after, int maxRows, Func<string, int, KeyBite> expire)
    {
        var at = after ?? "";
        var left = maxRows;
        var total = default(RetentionBite);
        while (true)
        {
            var keys = ReadKeys(session, table, column, at, Math.Min(KeysAtOnce, left));
            foreach (var key in keys)
            {
                var bite = expire(key, left);
                total = new RetentionBite(
                    null,
                    total.DeletedEntries + bite.DeletedEntries,
                    total.DeletedChunks + bite.DeletedChunks,
                    total.MergedChunks + bite.MergedChunks);
                left -= bite.Rows + 1;
                if (bite.IsUnfinished)
                {
                    return total with { Next = at };
                }

                at = key;
                if (left <= 0)
                {
                    return total with { Next = at };
                }
            }

            if (keys.Count == 0)
            {
                return total;
            }
        }
    }

    private static List<string> ReadKeys(SqlSession session, string table, string column, string after, int limit)
    {
        var keys = new List<string>(limit);
        var statement = session.Prepare($"SELECT {column} FROM {table} WHERE {column} > @p1 ORDER BY {column} LIMIT @p2");
        statement.AddId(after).Add(limit);
        while (statement.Read())
        {
            keys.Add(statement.GetId(0));
        }

        return keys;
    }
}

/// <summary>What was done with one key.</summary>
/// <param name="Rows">Rows that were deleted, merged or read for it.</param>
/// <param name="IsUnfinished">Whether the limit ended it, so that the same key comes again.</param>
/// <param name="DeletedEntries">Entries that were deleted.</param>
/// <param name="DeletedChunks">Chunks that were deleted.</param>
/// <param name="MergedChunks">Chunks that went into others.</param>
internal readonly record struct KeyBite(
    int Rows, bool IsUnfinished = false, int DeletedEntries = 0, int DeletedChunks = 0, int MergedChunks = 0);
