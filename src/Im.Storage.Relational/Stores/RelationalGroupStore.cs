using System.Collections.Immutable;
using Im.Storage.Relational.Append;
using Im.Timelines;

namespace Im.Storage.Relational.Stores;

/// <summary>Groups in a relational database.</summary>
internal sealed class RelationalGroupStore(RelationalLanes lanes) : IGroupStore
{
    private const string GroupText =
        "SELECT c.version, g.name, g.avatar, g.extra, g.fanout, g.fanout_pinned, g.is_dissolved, g.member_count "
        + "FROM im_groups g JOIN im_conversations c ON c.conversation_id = g.conversation_id WHERE g.conversation_id = @p1";

    private const string VersionText =
        "SELECT c.version, g.is_dissolved "
        + "FROM im_groups g JOIN im_conversations c ON c.conversation_id = g.conversation_id WHERE g.conversation_id = @p1";

    private const string MembersText = "SELECT user_id FROM im_members WHERE conversation_id = @p1 AND is_present = 1";

    private const string PageText =
        "SELECT user_id, joined_seq FROM im_members WHERE conversation_id = @p1 AND user_id > @p2 AND is_present = 1 ORDER BY user_id LIMIT @p3";

    public ValueTask<IReadOnlyList<StoredGroup?>> GetGroupsAsync(
        IReadOnlyList<string> conversationIds, int maxMembers, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(conversationIds);
        ArgumentOutOfRangeException.ThrowIfNegative(maxMembers);
        return new(lanes.Read.ReadAsync<IReadOnlyList<StoredGroup?>>(
            session =>
            {
                var groups = new StoredGroup?[conversationIds.Count];
                for (var i = 0; i < groups.Length; i++)
                {
                    groups[i] = Read(session, conversationIds[i], maxMembers);
                }

                return groups;
            },
            cancellationToken));
    }

    public ValueTask<FoundMembers?> FindMembersAsync(
        string conversationId, IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(conversationId);
        ArgumentNullException.ThrowIfNull(userIds);
        return new(lanes.Read.ReadAsync<FoundMembers?>(
            session => FindVersion(session, conversationId, out _) is { } version
                ? new FoundMembers(version, Find(session, conversationId, userIds))
                : null,
            cancellationToken));
    }

    public ValueTask<MemberPage?> ReadMembersAsync(
        string conversationId, string? afterUserId, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(conversationId);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return new(lanes.Read.ReadAsync(
            session => FindVersion(session, conversationId, out var isDissolved) is { } version
                ? new MemberPage(version, isDissolved ? [] : ReadPage(session, conversationId, afterUserId, limit))
                : null,
            cancellationToken));
    }

    private static StoredGroup? Read(SqlSession session, string conversationId, int maxMembers)
    {
        var statement = session.Prepare(GroupText).AddId(conversationId);
        if (!statement.Read())
        {
            return null;
        }

        var (version, group) = (statement.GetInt64(0), GroupRow.Read(statement, 1));
        statement.Clear();
        return new StoredGroup(
            conversationId,
            group.Info,
            version,
            group.Fanout,
            group.FanoutPinned,
            group.IsDissolved,
            (int)group.MemberCount,
            group.MemberCount <= maxMembers ? ReadAll(session, conversationId, (int)group.MemberCount) : default);
    }

    private static ImmutableArray<string> ReadAll(SqlSession session, string conversationId, int count)
    {
        var members = ImmutableArray.CreateBuilder<string>(count);
        var statement = session.Prepare(MembersText).AddId(conversationId);
        while (statement.Read())
        {
            members.Add(statement.GetId(0));
        }

        // The database sorts bytes; beyond the basic plane that is another order.
        members.Sort(StringComparer.Ordinal);
        return members.DrainToImmutable();
    }

    private static long? FindVersion(SqlSession session, string conversationId, out bool isDissolved)
    {
        var statement = session.Prepare(VersionText).AddId(conversationId);
        isDissolved = false;
        if (!statement.Read())
        {
            return null;
        }

        var version = statement.GetInt64(0);
        isDissolved = statement.GetInt64(1) != 0;
        statement.Clear();
        return version;
    }

    private static bool[] Find(SqlSession session, string conversationId, IReadOnlyList<string> userIds)
    {
        var found = new bool[userIds.Count];
        if (found.Length == 0)
        {
            return found;
        }

        var reader = session.Reader(Tables.FindMembers);
        foreach (var userId in userIds)
        {
            reader.AddId(conversationId);
            reader.AddId(userId);
        }

        while (reader.Read(out var key))
        {
            found[key] = reader.GetInt64(0) != 0;
        }

        return found;
    }

    private static List<GroupMember> ReadPage(SqlSession session, string conversationId, string? afterUserId, int limit)
    {
        var page = new List<GroupMember>(Math.Min(limit, 1024));
        var statement = session.Prepare(PageText).AddId(conversationId).AddId(afterUserId ?? "").Add(limit);
        while (statement.Read())
        {
            page.Add(new GroupMember(statement.GetId(0), new ConversationSeq(statement.GetInt64(1))));
        }

        return page;
    }
}
