using System.Collections.Immutable;
using Im.Timelines;
using static Im.Storage.ConversationChange;

namespace Im.Storage.Relational.Append;

/// <summary>Changes of groups, in two steps: does it change anything, and then do it. All of it is written at once, so that later items see it.</summary>
internal sealed class GroupRows(SqlSession session, ReadPartRows parts)
{
    private readonly Dictionary<string, GroupRow> _groups = new(StringComparer.Ordinal);

    // Who joins and who leaves (with the seq of the join) by the change that was prepared last.
    private readonly List<string> _added = [];
    private readonly List<(string UserId, long Joined)> _removed = [];

    /// <summary>Whether a change has an effect; finds the users who join and leave.</summary>
    public bool Prepare(string conversationId, ConversationChange change)
    {
        _added.Clear();
        _removed.Clear();
        if (change is CreateGroup create)
        {
            _added.AddRange(Sorted(create.Members));
            return true;
        }

        var group = Find(conversationId);
        if (group.IsDissolved)
        {
            return false;
        }

        switch (change)
        {
            case ChangeMembers members:
                FindChanged(conversationId, members);
                return _added.Count + _removed.Count > 0;
            case SetGroupInfo set:
                return set.Info != group.Info;
            case SwitchFanout switched:
                return switched.Fanout != group.Fanout || switched.FanoutPinned != group.FanoutPinned;
            default:
                return change is DissolveGroup;
        }
    }

    /// <summary>Applies the change that was prepared last; its entry has the given seq and ordinal.</summary>
    public void Apply(string conversationId, ConversationChange change, ConversationSeq seq, long ordinal)
    {
        if (change is CreateGroup create)
        {
            _groups.Add(conversationId, new GroupRow { Info = create.Info, Fanout = create.Fanout, FanoutPinned = create.FanoutPinned });
        }

        var group = Find(conversationId);
        switch (change)
        {
            case SetGroupInfo set:
                group.Info = set.Info;
                break;
            case SwitchFanout switched:
                Switch(conversationId, group, switched, seq);
                break;
            case DissolveGroup:
                _removed.AddRange(Present(conversationId));
                group.IsDissolved = true;
                break;
        }

        Leave(conversationId, group, seq);
        Join(conversationId, _added, seq, ordinal);
        if (group.IsRead)
        {
            foreach (var userId in _added)
            {
                parts.Open(userId, conversationId, seq);
            }
        }

        group.MemberCount += _added.Count - _removed.Count;
        Write(conversationId, group);
    }

    /// <summary>Lets users in who are not present, each once.</summary>
    public void Join(string conversationId, IReadOnlyList<string> userIds, ConversationSeq seq, long ordinal)
    {
        var members = session.Writer(Tables.Joins);
        var stays = session.Writer(Tables.Stays);
        for (var i = 0; i < userIds.Count; i++)
        {
            members.AddId(conversationId);
            members.AddId(userIds[i]);
            members.Add(seq.Value);
            members.Add(1);
            members.Add(ordinal);
            members.Add(0);
            members.Add(0);
            members.Add(0);
            members.EndRow();
            WriteStay(stays, userIds[i], conversationId, seq.Value, null);
        }

        members.Flush();
        stays.Flush();
    }

    private void Leave(string conversationId, GroupRow group, ConversationSeq seq)
    {
        var members = session.Writer(Tables.Leaves);
        var stays = session.Writer(Tables.Stays);
        foreach (var (userId, joined) in _removed)
        {
            members.AddId(conversationId);
            members.AddId(userId);
            members.Add(0);
            members.EndRow();
            WriteStay(stays, userId, conversationId, joined, seq.Value);
            if (group.IsRead)
            {
                parts.End(userId, conversationId, seq + -1);
            }
        }

        members.Flush();
        stays.Flush();
    }

    private void Switch(string conversationId, GroupRow group, SwitchFanout switched, ConversationSeq seq)
    {
        var wasRead = group.IsRead;
        group.Fanout = switched.Fanout;
        group.FanoutPinned = switched.FanoutPinned;
        if (wasRead == group.IsRead)
        {
            return;
        }

        foreach (var (userId, _) in Present(conversationId))
        {
            if (wasRead)
            {
                parts.End(userId, conversationId, seq + -1);
            }
            else
            {
                parts.Open(userId, conversationId, seq);
            }
        }
    }

    private void FindChanged(string conversationId, ChangeMembers change)
    {
        var added = Sorted(change.Added);
        var removed = Sorted(change.Removed);
        var asked = added.Concat(removed).ToArray();
        var joined = new long?[asked.Length];
        var reader = session.Reader(Tables.FindMembers);
        foreach (var userId in asked)
        {
            reader.AddId(conversationId);
            reader.AddId(userId);
        }

        while (reader.Read(out var key))
        {
            joined[key] = reader.GetInt64(0) != 0 ? reader.GetInt64(1) : null;
        }

        for (var i = 0; i < asked.Length; i++)
        {
            if (i < added.Length && joined[i] is null)
            {
                _added.Add(asked[i]);
            }
            else if (i >= added.Length && joined[i] is { } first)
            {
                _removed.Add((asked[i], first));
            }
        }
    }

    private List<(string UserId, long Joined)> Present(string conversationId)
    {
        var present = new List<(string, long)>();
        var statement = session.Prepare("SELECT user_id, joined_seq FROM im_members WHERE conversation_id = @p1 AND is_present = 1");
        statement.AddId(conversationId);
        while (statement.Read())
        {
            present.Add((statement.GetId(0), statement.GetInt64(1)));
        }

        return present;
    }

    private GroupRow Find(string conversationId)
    {
        if (!_groups.TryGetValue(conversationId, out var group))
        {
            var statement = session.Prepare($"SELECT {GroupRow.Columns} FROM im_groups WHERE conversation_id = @p1").AddId(conversationId);
            group = statement.Read()
                ? GroupRow.Read(statement, 0)
                : throw new InvalidDataException($"The group {conversationId} has entries and no row in im_groups.");
            statement.Clear();
            _groups.Add(conversationId, group);
        }

        return group;
    }

    private void Write(string conversationId, GroupRow group)
    {
        var writer = session.Writer(Tables.Groups);
        writer.AddId(conversationId);
        writer.AddText(group.Info.Name);
        writer.AddText(group.Info.Avatar);
        writer.AddText(group.Info.Extra);
        writer.AddText(group.Fanout);
        writer.Add(group.FanoutPinned ? 1 : 0);
        writer.Add(group.IsDissolved ? 1 : 0);
        writer.Add(group.MemberCount);
        writer.EndRow();
        writer.Flush();
    }

    private static void WriteStay(RowWriter stays, string userId, string conversationId, long first, long? last)
    {
        stays.AddId(userId);
        stays.AddId(conversationId);
        stays.Add(first);
        stays.Add(last);
        stays.EndRow();
    }

    /// <summary>The users sorted, each once.</summary>
    private static string[] Sorted(ImmutableArray<string> userIds) =>
        userIds.IsDefaultOrEmpty ? [] : [.. userIds.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
}
