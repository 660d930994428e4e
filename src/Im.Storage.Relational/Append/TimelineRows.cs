using Im.Timelines;

namespace Im.Storage.Relational.Append;

/// <summary>What a numbered batch adds to its timelines: chunks, heads, the senders' own ordinals and the commit-log row; each head row once.</summary>
internal sealed class TimelineRows(SqlSession session, AppendBatch batch, AppendBuffers buffers, BatchState state, byte[] writerId)
{
    public void Write(NumberedBatch numbered, long nowMs)
    {
        WriteOwnOrdinals();
        WriteConversations(numbered);
        WriteChunks(numbered, batch.TimeMs);
        WriteInboxes(numbered);
        WriteCommit(numbered, nowMs);
    }

    private void WriteOwnOrdinals()
    {
        var writer = session.Writer(Tables.OwnOrdinals);
        foreach (var ((timeline, senderId), ordinal) in state.OwnOrdinals)
        {
            writer.Add(buffers.Ids[timeline]);
            writer.AddId(senderId);
            writer.Add(ordinal);
            writer.EndRow();
        }

        writer.Flush();
    }

    private void WriteConversations(NumberedBatch numbered)
    {
        var writer = session.Writer(Tables.MoveConversations);
        foreach (var run in numbered.Runs)
        {
            var timeline = state.Find(run.ConversationId);
            writer.Add(buffers.Ids[timeline]);
            writer.Add(numbered.Heads.Span[timeline]);
            writer.Add(1);
            writer.Add(numbered.Ordinals.Span[timeline]);
            writer.Add(state.Versions[timeline]);
            writer.EndRow();
        }

        writer.Flush();
    }

    private void WriteChunks(NumberedBatch numbered, long timeMs)
    {
        var writer = session.Writer(Tables.Chunks);
        var heads = numbered.Heads.Span;
        for (var c = 0; c < numbered.Classes.Count; c++)
        {
            var packed = buffers.Runs;
            var length = RunsCodec.Pack(numbered.Classes[c].Runs, ref packed);
            buffers.Runs = packed;
            var firstSeqs = numbered.Classes[c].FirstSeqs.Span;
            var timelines = numbered.TimelinesOf(c);
            for (var u = 0; u < timelines.Length; u++)
            {
                writer.Add(buffers.Ids[timelines[u]]);
                writer.Add(heads[timelines[u]]);
                writer.Add(firstSeqs[u]);
                writer.Add(timeMs);
                writer.Add(packed.AsSpan(0, length));
                writer.EndRow();
            }
        }

        writer.Flush();
    }

    private void WriteInboxes(NumberedBatch numbered)
    {
        var writer = session.Writer(Tables.MoveInboxes);
        var heads = numbered.Heads.Span;
        for (var c = 0; c < numbered.Classes.Count; c++)
        {
            foreach (var timeline in numbered.TimelinesOf(c))
            {
                writer.Add(buffers.Ids[timeline]);
                writer.Add(heads[timeline]);
                writer.Add(1);
                writer.EndRow();
            }
        }

        writer.Flush();
    }

    private void WriteCommit(NumberedBatch numbered, long nowMs)
    {
        var packed = buffers.Runs;
        var length = RunsCodec.Pack(numbered.Runs, ref packed);
        buffers.Runs = packed;
        var writer = session.Writer(Tables.Commits);
        writer.AddId(batch.NodeName);
        writer.Add(batch.BatchNumber);
        writer.Add(writerId);
        writer.Add(nowMs);
        writer.Add(packed.AsSpan(0, length));
        writer.EndRow();
        if (writer.Flush() == 0)
        {
            // Nothing is wrong with the messages: sent again, they come under another number.
            throw new ImStorageException(
                $"Batch {batch.BatchNumber} of node {batch.NodeName} is there already: another process uses the same node name. Give each its own: "
                + "AddImServer(o => o.NodeName = \"…\").");
        }
    }
}
