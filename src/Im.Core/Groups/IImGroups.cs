using Im.Model;

namespace Im.Groups;

/// <summary>Creates and changes groups. Each change is announced to the members as an entry of the group's conversation.</summary>
/// <remarks>
/// <c>actorId</c> is who the entry says did it: a user, or a system sender such as <c>$system</c>. Changes of one group take effect in one order on all
/// devices: who is a member when a message is stored gets it, whoever is not does not.
/// </remarks>
public interface IImGroups
{
    /// <summary>Creates a group. <see cref="ImException"/> with <c>AlreadyExists</c> if the id is taken, <c>UnknownUser</c> naming members who do not exist.</summary>
    /// <remarks>
    /// With more than <c>MaxMembersPerChange</c> members the group is created with the first ones, the actor among them, and the others are added in
    /// further changes. Where that stops half-way the group is there with those who were added: <see cref="AddMembersAsync"/> adds the rest.
    /// </remarks>
    ValueTask<ImGroup> CreateAsync(NewGroup group, CancellationToken cancellationToken = default);

    /// <summary>The group, or null.</summary>
    ValueTask<ImGroup?> GetAsync(string groupId, CancellationToken cancellationToken = default);

    /// <summary>Replaces name, avatar and extra.</summary>
    ValueTask<ImGroup> UpdateAsync(string groupId, GroupInfo info, string actorId, CancellationToken cancellationToken = default);

    /// <summary>Ends the group: nobody can send to it, history stays readable for who was a member. Doing it twice is no error.</summary>
    /// <remarks>
    /// A group with fan-out on read and more than <c>MaxPinnedWriteFanoutMembers</c> members is dissolved part by part: each part's entry is its last
    /// one, and who is still a member can send until the call ends. Where that stops half-way, call it again.
    /// </remarks>
    ValueTask DissolveAsync(string groupId, string actorId, CancellationToken cancellationToken = default);

    /// <summary>Adds users; who is a member already stays one. A group over the fan-out threshold switches to fan-out on read.</summary>
    ValueTask<ImGroup> AddMembersAsync(
        string groupId, IReadOnlyList<string> userIds, string actorId, CancellationToken cancellationToken = default);

    /// <summary>Removes users; who is no member is passed over.</summary>
    ValueTask<ImGroup> RemoveMembersAsync(
        string groupId, IReadOnlyList<string> userIds, string actorId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Pins the fan-out strategy by name. Fan-out on write is refused with <c>TooManyMembers</c> above <c>MaxPinnedWriteFanoutMembers</c>.
    /// </summary>
    ValueTask<ImGroup> SetFanoutAsync(string groupId, string fanout, string actorId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Members in the order of their ids' UTF-8 bytes, after one id; at most <paramref name="limit"/> (1–1000). Fewer = these are the last ones.
    /// </summary>
    ValueTask<IReadOnlyList<string>> ListMembersAsync(
        string groupId, string? afterUserId = null, int limit = 100, CancellationToken cancellationToken = default);
}
