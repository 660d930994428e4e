using System.Collections.Immutable;
using Im.Model;
using Im.Timelines;

namespace Im.Storage;

/// <summary>What an item changes in the same transaction that appends its entry.</summary>
/// <remarks>Every change but <see cref="MoveReadMark"/> raises the conversation's membership version by one.</remarks>
public abstract record ConversationChange
{
    private ConversationChange()
    {
    }

    /// <summary>Creates a group; refused as <see cref="AppendOutcome.StaleVersion"/> where it exists. Expected version 0.</summary>
    public sealed record CreateGroup(GroupInfo Info, string Fanout, bool FanoutPinned, ImmutableArray<string> Members) : ConversationChange;

    /// <summary>Adds and removes members. Adding a member or removing a stranger changes nothing for that user.</summary>
    public sealed record ChangeMembers(ImmutableArray<string> Added, ImmutableArray<string> Removed) : ConversationChange;

    /// <summary>Replaces the group's name, avatar and extra.</summary>
    public sealed record SetGroupInfo(GroupInfo Info) : ConversationChange;

    /// <summary>From this entry on the conversation's entries take another way to its members.</summary>
    public sealed record SwitchFanout(string Fanout, bool FanoutPinned) : ConversationChange;

    /// <summary>Ends all memberships; the entries stay readable within them.</summary>
    public sealed record DissolveGroup : ConversationChange;

    /// <summary>
    /// Moves the mark of the own conversation's user in another conversation. A mark never moves back, nor beyond the head: an item
    /// that would not move it is answered <see cref="AppendOutcome.Unchanged"/> and appends nothing.
    /// </summary>
    public sealed record MoveReadMark(string ConversationId, ConversationSeq Seq) : ConversationChange;
}
