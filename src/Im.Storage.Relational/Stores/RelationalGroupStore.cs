using System.Collections.Immutable;
using Im.Storage.Relational.Append;

namespace Im.Storage.Relational.Stores;

/// <summary>Groups in a relational database.</summary>
internal sealed class RelationalGroupStore(RelationalLanes lanes) : IGroupStore
{
    private const string GroupText =
        "SELECT c.version, g.name, g.avatar, g.extra, g.fanout, g.fanout_pinned, g.is_dissolved, g.member_count "
        + "FROM im_groups g JOIN im_conversations c ON c.conversation_id = g.conversation_id WHERE g.conversation_id = @p1";

    private const string MembersText = "SELECT user_id FROM im_members WHERE conversation_id = @p1 AND is_present = 1";

    public ValueTask<IReadOnlyList<StoredGroup?>> GetGroupsAsync(
        IReadOnlyList<string> conversationIds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(conversationIds);
        return new(lanes.Read.ReadAsync<IReadOnlyList<StoredGroup?>>(
            session =>
            {
                var groups = new StoredGroup?[conversationIds.Count];
                for (var i = 0; i < groups.Length; i++)
                {
                    groups[i] = Read(session, conversationIds[i]);
                }

                return groups;
            },
            cancellationToken));
    }

    private static StoredGroup? Read(SqlSession session, string conversationId)
    {
        var statement = session.Prepare(GroupText).AddId(conversationId);
        if (!statement.Read())
        {
            return null;
        }

        var (version, group) = (statement.GetInt64(0), GroupRow.Read(statement, 1));
        statement.Clear();
        var members = ImmutableArray.CreateBuilder<string>((int)group.MemberCount);
        statement = session.Prepare(MembersText).AddId(conversationId);
        while (statement.Read())
        {
            members.Add(statement.GetId(0));
        }

        // The database sorts bytes; beyond the basic plane that is another order.
        members.Sort(StringComparer.Ordinal);
        return new StoredGroup(
            conversationId, group.Info, version, group.Fanout, group.FanoutPinned, group.IsDissolved, members.DrainToImmutable());
    }
}
