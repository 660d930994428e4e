using Im.Timelines;

namespace Im.Storage.Relational.Stores;

/// <summary>What exporting and erasing a user needs, in a relational database.</summary>
internal sealed class RelationalUserDataStore(RelationalLanes lanes) : IUserDataStore
{
    private const string ConversationsText =
        "SELECT m.conversation_id, c.head, c.floor, c.ordinal FROM im_members m "
        + "JOIN im_conversations c ON c.conversation_id = m.conversation_id "
        + "WHERE m.user_id = @p1 AND m.conversation_id > @p2 ORDER BY m.conversation_id LIMIT @p3";

    private const string StaysText =
        "SELECT first_seq, last_seq, conversation_id FROM im_stays "
        + "WHERE user_id = @p1 AND conversation_id >= @p2 AND conversation_id <= @p3 ORDER BY conversation_id, first_seq";

    private const string EraseText =
        "UPDATE im_entries SET body = x'', flags = flags | 1 WHERE conversation_id = @p1 AND seq >= @p2 AND seq <= @p3 "
        + "AND sender_id = @p4 AND kind = 10 AND (flags & 1) = 0";

    public ValueTask<IReadOnlyList<UserStays>> ListStaysAsync(
        string userId, string? afterConversationId, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return new(lanes.Read.ReadAsync<IReadOnlyList<UserStays>>(
            session => List(session, userId, afterConversationId ?? "", limit), cancellationToken));
    }

    public ValueTask<int> EraseBodiesAsync(
        string conversationId, ConversationSeq first, ConversationSeq last, string senderId, CancellationToken cancellationToken) => new(
        lanes.Write.WriteAsync(
            session => session.Prepare(EraseText).AddId(conversationId).Add(first.Value).Add(last.Value).AddId(senderId).Execute(),
            cancellationToken));

    public ValueTask ForgetDevicesAsync(string userId, CancellationToken cancellationToken) => new(lanes.Write.WriteAsync(
        session =>
        {
            session.Prepare("DELETE FROM im_devices WHERE user_id = @p1").AddId(userId).Execute();
            session.Prepare("DELETE FROM im_device_acks WHERE user_id = @p1").AddId(userId).Execute();
            return true;
        },
        cancellationToken));

    private static List<UserStays> List(SqlSession session, string userId, string after, int limit)
    {
        var stays = new List<UserStays>();
        var lists = new Dictionary<string, List<Membership>>(StringComparer.Ordinal);
        var statement = session.Prepare(ConversationsText).AddId(userId).AddId(after).Add(limit);
        while (statement.Read())
        {
            var id = statement.GetId(0);
            var list = new List<Membership>(1);
            lists.Add(id, list);
            stays.Add(new UserStays(
                id, new TimelineHead(TimelineKey.Conversation(id), statement.GetInt64(1), statement.GetInt64(2), statement.GetInt64(3)), list));
        }

        if (stays.Count == 0)
        {
            return stays;
        }

        statement = session.Prepare(StaysText).AddId(userId).AddId(stays[0].ConversationId).AddId(stays[^1].ConversationId);
        while (statement.Read())
        {
            if (lists.TryGetValue(statement.GetId(2), out var list))
            {
                list.Add(RelationalConversationStore.ToMembership(statement, 0));
            }
        }

        return stays;
    }
}
