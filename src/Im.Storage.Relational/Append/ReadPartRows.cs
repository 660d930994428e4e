using Im.Timelines;

namespace Im.Storage.Relational.Append;

/// <summary>The parts of conversations that members read by cursor, opened and ended by one batch.</summary>
/// <remarks>
/// A part says where its join or switch entry stands in the user's inbox, which is known only when the whole batch is numbered: new parts are
/// kept until <see cref="Write"/>. One that ends in the batch in which it began is ended here.
/// </remarks>
internal sealed class ReadPartRows(SqlSession session)
{
    private readonly List<Part> _parts = [];
    private readonly Dictionary<(string UserId, string ConversationId), Part> _open = [];

    public void Open(string userId, string conversationId, ConversationSeq after)
    {
        var part = new Part(userId, conversationId, after);
        _parts.Add(part);
        _open[(userId, conversationId)] = part;
    }

    /// <summary>Ends the open part; <paramref name="last"/> is the last entry that belongs to it.</summary>
    public void End(string userId, string conversationId, ConversationSeq last)
    {
        if (_open.Remove((userId, conversationId), out var part))
        {
            part.Last = last;
            return;
        }

        var writer = session.Writer(Tables.ReadPartEnds);
        writer.AddId(userId);
        writer.AddId(conversationId);
        writer.Add(last.Value);
        writer.EndRow();
    }

    public void Write(IReadOnlyList<AppendedClass> classes)
    {
        session.Writer(Tables.ReadPartEnds).Flush();
        if (_parts.Count == 0)
        {
            return;
        }

        var inboxes = FindInboxes(classes);
        var writer = session.Writer(Tables.ReadParts);
        foreach (var part in _parts)
        {
            writer.AddId(part.UserId);
            writer.AddId(part.ConversationId);
            writer.Add(part.After.Value);
            writer.Add(part.Last?.Value);
            writer.Add(inboxes.TryGetValue(part.UserId, out var inbox) ? Find(inbox.Class.Runs, inbox.First, part) : 0);
            writer.EndRow();
        }

        writer.Flush();
    }

    private Dictionary<string, (AppendedClass Class, long First)> FindInboxes(IReadOnlyList<AppendedClass> classes)
    {
        var wanted = _parts.Select(part => part.UserId).ToHashSet(StringComparer.Ordinal);
        var inboxes = new Dictionary<string, (AppendedClass, long)>(wanted.Count, StringComparer.Ordinal);
        foreach (var c in classes)
        {
            for (var u = 0; u < c.UserIds.Count; u++)
            {
                if (wanted.Contains(c.UserIds[u]))
                {
                    inboxes.Add(c.UserIds[u], (c, c.FirstSeqs.Span[u]));
                }
            }
        }

        return inboxes;
    }

    /// <summary>Where the entry that opened the part stands; 0 = not in the inbox.</summary>
    private static long Find(IReadOnlyList<Run> runs, long position, Part part)
    {
        foreach (var run in runs)
        {
            if (string.Equals(run.ConversationId, part.ConversationId, StringComparison.Ordinal) && run.First <= part.After && part.After <= run.Last)
            {
                return position + (part.After - run.First);
            }

            position += run.Count;
        }

        return 0;
    }

    private sealed class Part(string userId, string conversationId, ConversationSeq after)
    {
        public string UserId { get; } = userId;

        public string ConversationId { get; } = conversationId;

        public ConversationSeq After { get; } = after;

        public ConversationSeq? Last { get; set; }
    }
}
