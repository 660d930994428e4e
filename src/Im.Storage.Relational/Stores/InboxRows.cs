using Im.Timelines;

namespace Im.Storage.Relational.Stores;

/// <summary>Reads pages of inboxes from their chunks.</summary>
internal static class InboxRows
{
    // A page takes at least one row for each entry at most; so many rows are asked for at once.
    private const int RowsAtOnce = 512;

    public static InboxPage[] Read(SqlSession session, IReadOnlyList<InboxRead> reads)
    {
        var timelines = new TimelineKey[reads.Count];
        for (var i = 0; i < timelines.Length; i++)
        {
            timelines[i] = TimelineKey.Inbox(reads[i].UserId);
        }

        var heads = HeadRows.Read(session, timelines);
        var pages = new InboxPage[reads.Count];
        for (var i = 0; i < pages.Length; i++)
        {
            var after = Math.Max(reads[i].After.Value, heads[i].Floor - 1);
            var runs = after >= heads[i].Head ? [] : ReadRuns(session, reads[i].UserId, after, reads[i].MaxEntries);
            pages[i] = new InboxPage(new InboxSeq(after + 1), runs, heads[i]);
        }

        return pages;
    }

    private static List<Run> ReadRuns(SqlSession session, string userId, long after, int entriesLeft)
    {
        var runs = new List<Run>();
        var statement = session.Prepare(
            "SELECT first_seq, last_seq, runs FROM im_inbox_chunks WHERE user_id = @p1 AND last_seq > @p2 ORDER BY last_seq LIMIT @p3");
        string? lastId = null;
        while (entriesLeft > 0)
        {
            var limit = Math.Min(entriesLeft, RowsAtOnce);
            statement.AddId(userId).Add(after).Add(limit);
            var rows = 0;
            while (entriesLeft > 0 && statement.Read())
            {
                rows++;
                var skip = after + 1 - statement.GetInt64(0);
                after = statement.GetInt64(1);
                ReadOnlySpan<byte> packed = statement.GetBytes(2);
                while (packed.Length > 0 && entriesLeft > 0)
                {
                    var run = RunsCodec.Next(ref packed, lastId);
                    lastId = run.ConversationId;
                    if (skip >= run.Count)
                    {
                        skip -= run.Count;
                        continue;
                    }

                    var count = (int)Math.Min(run.Count - skip, entriesLeft);
                    RunsCodec.Add(runs, run with { First = run.First + skip, Count = count });
                    entriesLeft -= count;
                    skip = 0;
                }
            }

            statement.Clear();
            if (rows < limit)
            {
                break;
            }
        }

        return runs;
    }
}
