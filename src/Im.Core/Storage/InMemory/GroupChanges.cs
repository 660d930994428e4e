using System.Collections.Immutable;
using Im.Timelines;
using static Im.Storage.ConversationChange;

namespace Im.Storage.InMemory;

/// <summary>Changes of groups, in two steps: does it change anything, and then do it. Used by one append, under the state's lock.</summary>
internal sealed class GroupChanges(InMemoryState state)
{
    // Who joins and who leaves by the change that was prepared last.
    private readonly List<string> _added = [];
    private readonly List<string> _removed = [];

    /// <summary>Whether a group's change has an effect; finds the users who join and leave.</summary>
    public bool Prepare(ConversationState? group, ConversationChange change)
    {
        _added.Clear();
        _removed.Clear();
        switch (change)
        {
            case CreateGroup create:
                Collect(_added, create.Members);
                return true;
            case ChangeMembers members when !group!.IsDissolved:
                Collect(_added, members.Added);
                _added.RemoveAll(group.IsPresent);
                Collect(_removed, members.Removed);
                _removed.RemoveAll(userId => !group.IsPresent(userId));
                return _added.Count + _removed.Count > 0;
            case SetGroupInfo set:
                return !group!.IsDissolved && set.Info != group.Info;
            case SwitchFanout switched:
                return !group!.IsDissolved && (switched.Fanout != group.Fanout || switched.FanoutPinned != group.FanoutPinned);
            case DissolveGroup:
                return !group!.IsDissolved;
            default:
                return false;
        }
    }

    /// <summary>Applies the change that was prepared last; its entry has the given seq and ordinal.</summary>
    public void Apply(ConversationState group, ConversationChange change, ConversationSeq seq, long ordinal)
    {
        switch (change)
        {
            case CreateGroup create:
                group.Info = create.Info;
                group.SetFanout(state, create.Fanout, create.FanoutPinned, seq);
                group.Join(state, _added, seq, ordinal);
                break;
            case ChangeMembers:
                group.Leave(state, _removed, seq);
                group.Join(state, _added, seq, ordinal);
                break;
            case SetGroupInfo set:
                group.Info = set.Info;
                break;
            case SwitchFanout switched:
                group.SetFanout(state, switched.Fanout, switched.FanoutPinned, seq);
                break;
            case DissolveGroup:
                group.Leave(state, group.Present, seq);
                group.IsDissolved = true;
                break;
        }

        group.Version++;
    }

    /// <summary>The users sorted, each once.</summary>
    private static void Collect(List<string> target, ImmutableArray<string> userIds)
    {
        if (userIds.IsDefaultOrEmpty)
        {
            return;
        }

        target.AddRange(userIds);
        target.Sort(StringComparer.Ordinal);
        var kept = 1;
        for (var i = 1; i < target.Count; i++)
        {
            if (!string.Equals(target[i], target[kept - 1], StringComparison.Ordinal))
            {
                target[kept++] = target[i];
            }
        }

        target.RemoveRange(kept, target.Count - kept);
    }
}
