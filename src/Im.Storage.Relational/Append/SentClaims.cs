using Im.Timelines;

namespace Im.Storage.Relational.Append;

/// <summary>The ids that a batch claims, and those that were claimed before it or earlier in it.</summary>
internal sealed class SentClaims(SqlSession session)
{
    private readonly Dictionary<SentKey, SentRow> _known = [];
    private readonly byte[] _hash = new byte[ContentHash.SizeInBytes];
    private long _claimed;

    /// <summary>Looks all ids of the batch up at once.</summary>
    public void Read(IReadOnlyList<AppendItem> items)
    {
        var reader = session.Reader(Tables.FindSent);
        _known.EnsureCapacity(items.Count);
        for (var i = 0; i < items.Count; i++)
        {
            reader.AddId(items[i].SenderId);
            reader.AddId(items[i].ClientMessageId);
        }

        while (reader.Read(out var key))
        {
            _known.TryAdd(new SentKey(items[key].SenderId, items[key].ClientMessageId), SentRow.Read(reader));
        }
    }

    public SentRow? Find(AppendItem item) =>
        _known.TryGetValue(new SentKey(item.SenderId, item.ClientMessageId), out var sent) ? sent : null;

    public void Claim(AppendItem item, ConversationSeq seq, long ordinal, long nowMs)
    {
        _known.Add(
            new SentKey(item.SenderId, item.ClientMessageId), new SentRow(item.ConversationId, seq, ordinal, item.TimeMs, item.Hash));
        var writer = session.Writer(Tables.Sent);
        writer.AddId(item.SenderId);
        writer.AddId(item.ClientMessageId);
        writer.AddId(item.ConversationId);
        writer.Add(seq.Value);
        writer.Add(ordinal);
        writer.Add(item.TimeMs);
        item.Hash.Write(_hash);
        writer.Add(_hash);
        writer.Add(nowMs);
        writer.EndRow();
        _claimed++;
    }

    /// <summary>False: another transaction has claimed one of the ids since they were looked up, so the batch's numbers are wrong.</summary>
    public bool Flush() => session.Writer(Tables.Sent).Flush() == _claimed;
}
