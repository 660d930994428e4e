using Im.Timelines;

namespace Im.Storage.Relational.Retention;

/// <summary>Packs neighbouring old chunks of an inbox into one, up to so many entries; the last of them keeps its key.</summary>
/// <remarks>
/// <code>
/// merged_seq              old enough          too young
///  … ──┤ 1 │ 3 │ 2 │ 1 ┊ 4 │ 2 │ 1 │ 1 ┤ 1 │ 1 ─▶ head
///       full: merged_seq    grows at the next bite
///       moves behind it
/// </code>
/// What stands before merged_seq is never looked at again, so a quiet inbox costs one short query.
/// </remarks>
internal sealed class ChunkMerger(SqlSession session, RetentionLimits limits)
{
    private const string ChunksText =
        "SELECT first_seq, last_seq, time_ms, runs FROM im_inbox_chunks WHERE user_id = @p1 AND last_seq > @p2 ORDER BY last_seq LIMIT @p3";

    private readonly List<Chunk> _group = [];
    private byte[] _packed = new byte[1024];

    /// <summary>Whether two chunks are old enough: then one goes into the other, or the first is full.</summary>
    public bool HasWork(string userId, long merged) =>
        limits.MergeBeforeMs is { } before && ReadChunks(userId, merged, 2).Count(chunk => chunk.TimeMs < before) == 2;

    public KeyBite Merge(string userId, long merged, int maxRows)
    {
        _group.Clear();
        if (limits.MergeBeforeMs is null)
        {
            return default;
        }

        var (rows, gone, full) = (0, 0, merged);
        foreach (var chunk in ReadChunks(userId, merged, maxRows))
        {
            if (chunk.TimeMs >= limits.MergeBeforeMs)
            {
                break;
            }

            rows++;
            if (_group.Count > 0 && chunk.Last - _group[0].First + 1 > limits.MergedChunkEntries)
            {
                full = _group[^1].Last;
                gone += MergeGroup(userId);
            }

            _group.Add(chunk);
        }

        gone += MergeGroup(userId);
        if (full > merged)
        {
            session.Prepare("UPDATE im_inboxes SET merged_seq = @p1 WHERE user_id = @p2").Add(full).AddId(userId).Execute();
        }

        // The same key again only where that gets further, and is seen to: a group that alone is more than a bite does not, and many chunks that are
        // full already are passed over bite by bite in later passes.
        return new KeyBite(rows, IsUnfinished: rows >= maxRows && full > merged && gone > 0, MergedChunks: gone);
    }

    private List<Chunk> ReadChunks(string userId, long after, int limit)
    {
        var chunks = new List<Chunk>();
        var statement = session.Prepare(ChunksText).AddId(userId).Add(after).Add(limit);
        while (statement.Read())
        {
            chunks.Add(new Chunk(statement.GetInt64(0), statement.GetInt64(1), statement.GetInt64(2), statement.GetBytes(3).ToArray()));
            if (statement.GetInt64(2) >= limits.MergeBeforeMs)
            {
                statement.Clear();
                break;
            }
        }

        return chunks;
    }

    /// <summary>How many chunks went into the last one of the group.</summary>
    private int MergeGroup(string userId)
    {
        var gone = _group.Count - 1;
        if (gone > 0)
        {
            var (first, last) = (_group[0], _group[^1]);
            var length = RunsCodec.Pack(Unpack(), ref _packed);
            session.Prepare("DELETE FROM im_inbox_chunks WHERE user_id = @p1 AND last_seq >= @p2 AND last_seq < @p3")
                .AddId(userId).Add(first.Last).Add(last.Last).Execute();

            // A chunk is as old as its newest part.
            session.Prepare("UPDATE im_inbox_chunks SET first_seq = @p1, time_ms = @p2, runs = @p3 WHERE user_id = @p4 AND last_seq = @p5")
                .Add(first.First).Add(_group.Max(chunk => chunk.TimeMs)).Add(_packed.AsSpan(0, length)).AddId(userId).Add(last.Last).Execute();
        }

        _group.Clear();
        return Math.Max(gone, 0);
    }

    private List<Run> Unpack()
    {
        var runs = new List<Run>();
        foreach (var chunk in _group)
        {
            ReadOnlySpan<byte> packed = chunk.Runs;
            while (packed.Length > 0)
            {
                RunsCodec.Add(runs, RunsCodec.Next(ref packed, runs.Count > 0 ? runs[^1].ConversationId : null));
            }
        }

        return runs;
    }

    private readonly record struct Chunk(long First, long Last, long TimeMs, byte[] Runs);
}
