using Im.Timelines;

namespace Im.Storage.Relational.Stores;

/// <summary>Reads head rows.</summary>
internal static class HeadRows
{
    /// <summary>The heads in the order of the timelines; empty ones for timelines that do not exist.</summary>
    public static TimelineHead[] Read(SqlSession session, IReadOnlyList<TimelineKey> timelines)
    {
        var heads = new TimelineHead[timelines.Count];
        var asked = new List<int>(heads.Length);
        for (var kind = TimelineKind.Conversation; kind <= TimelineKind.Inbox; kind++)
        {
            asked.Clear();
            var isConversation = kind == TimelineKind.Conversation;
            var reader = session.Reader(isConversation ? Tables.ReadConversationHeads : Tables.ReadInboxHeads);
            for (var i = 0; i < heads.Length; i++)
            {
                if (timelines[i].Kind == kind)
                {
                    heads[i] = TimelineHead.Empty(timelines[i]);
                    reader.AddId(timelines[i].Id);
                    asked.Add(i);
                }
            }

            while (asked.Count > 0 && reader.Read(out var key))
            {
                heads[asked[key]] = isConversation
                    ? new TimelineHead(timelines[asked[key]], reader.GetInt64(0), reader.GetInt64(3), reader.GetInt64(1))
                    : new TimelineHead(timelines[asked[key]], reader.GetInt64(0), reader.GetInt64(1), 0);
            }
        }

        return heads;
    }
}
