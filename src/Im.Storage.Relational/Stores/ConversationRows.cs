using System.Globalization;
using Im.Fanout;
using Im.Model;
using Im.Timelines;

namespace Im.Storage.Relational.Stores;

/// <summary>Reads conversations as one user sees them, each with its newest entry in the same row.</summary>
internal static class ConversationRows
{
    // Texts exist for these numbers of ids only, so that few statements are prepared; a shorter list is filled up with its last id.
    private static readonly int[] Sizes = [1, 8, 64];

    private const string Select =
        "SELECT m.conversation_id, c.head, c.floor, c.ordinal, c.version, m.joined_seq, m.join_ordinal, m.read_seq, m.read_ordinal, m.own_ordinal, "
        + "g.fanout, g.name, g.avatar, g.extra, g.member_count, "
        + "(CASE WHEN g.conversation_id IS NULL THEN (SELECT COUNT(*) FROM im_members x WHERE x.conversation_id = m.conversation_id AND x.is_present = 1) "
        + "ELSE 0 END), "
        + "e.seq, e.ordinal, e.sender_id, e.sender_device_id, e.client_message_id, e.time_ms, e.kind, e.flags, e.body "
        + "FROM im_members m JOIN im_conversations c ON c.conversation_id = m.conversation_id "
        + "LEFT JOIN im_groups g ON g.conversation_id = m.conversation_id "
        + "LEFT JOIN im_entries e ON e.conversation_id = m.conversation_id AND e.seq = c.head "
        + "WHERE m.user_id = @p1 AND m.is_present = 1 ";

    private const string PageText =
        Select + "AND m.conversation_id > @p2 AND m.conversation_id <> @p3 ORDER BY m.conversation_id LIMIT @p4";

    /// <summary>A page in the order of ids, without the user's own conversation.</summary>
    public static List<UserConversation> List(SqlSession session, string userId, string? afterConversationId, int limit)
    {
        var page = new List<UserConversation>();
        var statement = session.Prepare(PageText);
        statement.AddId(userId).AddId(afterConversationId ?? "").AddId(ConversationId.Own(userId)).Add(limit);
        while (statement.Read())
        {
            page.Add(Read(statement));
        }

        return page;
    }

    /// <summary>The conversations in the order given; null where the user is not a member.</summary>
    public static UserConversation?[] Get(SqlSession session, string userId, IReadOnlyList<string> conversationIds)
    {
        var found = new Dictionary<string, UserConversation>(StringComparer.Ordinal);
        for (var at = 0; at < conversationIds.Count;)
        {
            var left = conversationIds.Count - at;
            var size = Array.Find(Sizes, size => size >= left) is > 0 and var fits ? fits : Sizes[^1];
            var statement = session.Prepare(TextFor(size)).AddId(userId);
            for (var i = 0; i < size; i++)
            {
                statement.AddId(conversationIds[Math.Min(at + i, conversationIds.Count - 1)]);
            }

            while (statement.Read())
            {
                var conversation = Read(statement);
                found[conversation.ConversationId] = conversation;
            }

            at += size;
        }

        var conversations = new UserConversation?[conversationIds.Count];
        for (var i = 0; i < conversations.Length; i++)
        {
            conversations[i] = found.GetValueOrDefault(conversationIds[i]);
        }

        return conversations;
    }

    private static string TextFor(int size)
    {
        var names = Enumerable.Range(2, size).Select(i => string.Create(CultureInfo.InvariantCulture, $"@p{i}"));
        return $"{Select}AND m.conversation_id IN ({string.Join(", ", names)})";
    }

    private static UserConversation Read(SqlRow row)
    {
        var id = row.GetId(0);
        var isGroup = !row.IsNull(10);
        var ordinal = row.GetInt64(3);
        var seen = Math.Max(row.GetInt64(6), Math.Max(row.GetInt64(8), row.GetInt64(9)));
        return new UserConversation(
            id,
            new TimelineHead(TimelineKey.Conversation(id), row.GetInt64(1), row.GetInt64(2), ordinal),
            isGroup ? row.GetText(10) : FanoutNames.Write,
            isGroup ? new GroupInfo(row.GetText(11), row.GetText(12), row.GetText(13)) : null,
            (int)row.GetInt64(isGroup ? 14 : 15),
            row.GetInt64(4),
            new ConversationSeq(row.GetInt64(5)),
            new ConversationSeq(row.GetInt64(7)),
            ordinal - seen,
            row.IsNull(16) ? null : EntryRows.Read(row, id, 16));
    }
}
