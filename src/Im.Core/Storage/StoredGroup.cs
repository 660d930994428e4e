using System.Collections.Immutable;
using Im.Model;
using Im.Timelines;

namespace Im.Storage;

/// <summary>A group at one membership version.</summary>
/// <param name="ConversationId">The group's conversation.</param>
/// <param name="Info">Name, avatar, extra.</param>
/// <param name="Version">The membership version.</param>
/// <param name="Fanout">The name of its fan-out strategy.</param>
/// <param name="FanoutPinned">Whether the fan-out stays whatever the number of members.</param>
/// <param name="IsDissolved">Whether it was dissolved; then it has no members.</param>
/// <param name="MemberCount">How many members.</param>
/// <param name="Members">
/// The members' user ids, sorted by <see cref="StringComparer.Ordinal"/>; <c>default</c> where there are more than were asked for.
/// </param>
public sealed record StoredGroup(
    string ConversationId,
    GroupInfo Info,
    long Version,
    string Fanout,
    bool FanoutPinned,
    bool IsDissolved,
    int MemberCount,
    ImmutableArray<string> Members);

/// <summary>The answer to a look-up of some users in a group.</summary>
/// <param name="Version">The membership version that it is of.</param>
/// <param name="IsMember">For each user whether it is a member.</param>
public readonly record struct FoundMembers(long Version, IReadOnlyList<bool> IsMember);

/// <summary>Some members of a group.</summary>
/// <param name="Version">The membership version that they are of.</param>
/// <param name="Members">In the order of their ids' UTF-8 bytes.</param>
public sealed record MemberPage(long Version, IReadOnlyList<GroupMember> Members);

/// <summary>A member of a group.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Joined">The join entry of the present stay: what is behind it is the member's to see.</param>
public readonly record struct GroupMember(string UserId, ConversationSeq Joined);
