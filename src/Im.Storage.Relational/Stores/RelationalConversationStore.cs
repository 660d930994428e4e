using Im.Timelines;

namespace Im.Storage.Relational.Stores;

/// <summary>Conversations as users see them, in a relational database.</summary>
internal sealed class RelationalConversationStore(RelationalLanes lanes) : IConversationStore
{
    private const string StaysText =
        "SELECT first_seq, last_seq FROM im_stays WHERE user_id = @p1 AND conversation_id = @p2 ORDER BY first_seq";

    private const string PartsText =
        "SELECT p.conversation_id, p.after_seq, p.last_seq, p.inbox_seq, c.head, c.floor, c.ordinal "
        + "FROM im_read_parts p JOIN im_conversations c ON c.conversation_id = p.conversation_id "
        + "WHERE p.user_id = @p1 ORDER BY p.conversation_id, p.after_seq";

    public ValueTask<IReadOnlyList<Membership>> GetMembershipsAsync(
        string userId, string conversationId, CancellationToken cancellationToken) => new(
        lanes.Read.ReadAsync<IReadOnlyList<Membership>>(
            session =>
            {
                var stays = new List<Membership>(1);
                var statement = session.Prepare(StaysText).AddId(userId).AddId(conversationId);
                while (statement.Read())
                {
                    stays.Add(ToMembership(statement, 0));
                }

                return stays;
            },
            cancellationToken));

    public ValueTask<IReadOnlyList<ReadTimeline>> GetReadTimelinesAsync(
        string userId, IReadOnlyList<string> known, InboxSeq after, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(known);
        var asked = known.ToHashSet(StringComparer.Ordinal);
        return new(lanes.Read.ReadAsync<IReadOnlyList<ReadTimeline>>(
            session => ReadTimelines(session, userId, asked, after), cancellationToken));
    }

    public ValueTask<IReadOnlyList<UserConversation>> ListAsync(
        string userId, string? afterConversationId, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return new(lanes.Read.ReadAsync<IReadOnlyList<UserConversation>>(
            session => ConversationRows.List(session, userId, afterConversationId, limit), cancellationToken));
    }

    public ValueTask<IReadOnlyList<UserConversation?>> GetAsync(
        string userId, IReadOnlyList<string> conversationIds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(conversationIds);
        return new(lanes.Read.ReadAsync<IReadOnlyList<UserConversation?>>(
            session => ConversationRows.Get(session, userId, conversationIds), cancellationToken));
    }

    public ValueTask<InboxSnapshot> GetSnapshotAsync(string userId, CancellationToken cancellationToken) => new(
        lanes.Read.ReadAsync(
            session =>
            {
                var head = HeadRows.Read(session, [TimelineKey.Inbox(userId)])[0].Head;
                return new InboxSnapshot(new InboxSeq(head), ConversationRows.List(session, userId, null, int.MaxValue));
            },
            cancellationToken));

    /// <summary>Reads a first and a last seq from two columns.</summary>
    public static Membership ToMembership(SqlRow row, int column) => new(
        new ConversationSeq(row.GetInt64(column)), row.GetNullableInt64(column + 1) is { } last ? new ConversationSeq(last) : null);

    private static List<ReadTimeline> ReadTimelines(SqlSession session, string userId, HashSet<string> asked, InboxSeq after)
    {
        var parts = new List<ReadTimeline>();
        var statement = session.Prepare(PartsText).AddId(userId);
        while (statement.Read())
        {
            var id = statement.GetId(0);
            var last = statement.GetNullableInt64(2);
            if (last is null || statement.GetInt64(3) > after.Value || asked.Contains(id))
            {
                parts.Add(new ReadTimeline(
                    id,
                    new ConversationSeq(statement.GetInt64(1)),
                    last is { } seq ? new ConversationSeq(seq) : null,
                    new TimelineHead(TimelineKey.Conversation(id), statement.GetInt64(4), statement.GetInt64(5), statement.GetInt64(6))));
            }
        }

        return parts;
    }
}
