using Im.Model;
using Im.Timelines;

namespace Im.Storage.Relational.Stores;

/// <summary>Reads entries. A place without a row is an entry that has expired.</summary>
internal sealed class EntryRows(SqlSession session)
{
    public const string Columns =
        "seq, ordinal, sender_id, sender_device_id, client_message_id, time_ms, kind, flags, body";

    /// <summary>Expands runs in order, up to so many bytes of bodies, in all but at least one entry.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A run reaches beyond its conversation's head.</exception>
    public List<StoredEntry> Expand(IReadOnlyList<Run> runs, long bytesLeft)
    {
        var floors = CheckRuns(runs);
        var entries = new List<StoredEntry>();
        for (var i = 0; i < runs.Count; i++)
        {
            if (!Expand(entries, runs[i], floors[i], ref bytesLeft))
            {
                break;
            }
        }

        return entries;
    }

    /// <summary>Reads <see cref="Columns"/> from the given column on.</summary>
    public static StoredEntry Read(SqlRow row, string conversationId, int column)
    {
        var isGone = (row.GetInt64(column + 7) & Tables.Gone) != 0;
        return new StoredEntry
        {
            ConversationId = conversationId,
            Seq = new ConversationSeq(row.GetInt64(column)),
            Ordinal = row.GetInt64(column + 1),
            SenderId = row.GetId(column + 2),
            SenderDeviceId = row.GetId(column + 3),
            ClientMessageId = row.GetId(column + 4),
            TimeMs = row.GetInt64(column + 5),
            Kind = (EntryKind)row.GetInt64(column + 6),
            Body = isGone ? default : row.GetBytes(column + 8).ToArray(),
            IsGone = isGone,
        };
    }

    private long[] CheckRuns(IReadOnlyList<Run> runs)
    {
        var timelines = new TimelineKey[runs.Count];
        for (var i = 0; i < timelines.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(runs[i].Count, 1, nameof(runs));
            ArgumentOutOfRangeException.ThrowIfLessThan(runs[i].First.Value, 1, nameof(runs));
            timelines[i] = TimelineKey.Conversation(runs[i].ConversationId);
        }

        var heads = HeadRows.Read(session, timelines);
        var floors = new long[runs.Count];
        for (var i = 0; i < floors.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(runs[i].Last.Value, heads[i].Head, nameof(runs));
            floors[i] = heads[i].Floor;
        }

        return floors;
    }

    private bool Expand(List<StoredEntry> entries, Run run, long floor, ref long bytesLeft)
    {
        var next = run.First.Value;
        while (next < floor && next <= run.Last.Value)
        {
            entries.Add(StoredEntry.Forgotten(run.ConversationId, new ConversationSeq(next++)));
        }

        if (next > run.Last.Value)
        {
            return true;
        }

        var statement = session.Prepare(
            $"SELECT {Columns} FROM im_entries WHERE conversation_id = @p1 AND seq >= @p2 AND seq <= @p3 ORDER BY seq");
        statement.AddId(run.ConversationId).Add(next).Add(run.Last.Value);
        while (statement.Read())
        {
            for (var seq = statement.GetInt64(0); next < seq;)
            {
                entries.Add(StoredEntry.Forgotten(run.ConversationId, new ConversationSeq(next++)));
            }

            bytesLeft -= statement.GetBytes(8).Length;
            if (bytesLeft < 0 && entries.Count > 0)
            {
                statement.Clear();
                return false;
            }

            entries.Add(Read(statement, run.ConversationId, 0));
            next++;
        }

        while (next <= run.Last.Value)
        {
            entries.Add(StoredEntry.Forgotten(run.ConversationId, new ConversationSeq(next++)));
        }

        return true;
    }
}
