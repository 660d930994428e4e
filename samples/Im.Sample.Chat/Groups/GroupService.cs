using System.Security.Cryptography;
using Im.Groups;
using Im.Model;
using Im.Sample.Chat.Data;

namespace Im.Sample.Chat.Groups;

/// <summary>Creates and changes groups in the sample's database and in IM; the database is the truth, IM follows it.</summary>
internal sealed class GroupService(GroupTable groups, UserTable users, IImServer im) : IDisposable
{
    // One change at a time, so that both sides see changes in the same order. A sample's price for two stores without a common transaction.
    private readonly SemaphoreSlim _gate = new(1, 1);

    public void Dispose() => _gate.Dispose();

    public async Task<GroupResult> CreateAsync(string actorId, string? name, IReadOnlyList<string>? memberIds, CancellationToken cancellationToken)
    {
        // Nothing of this changes while others wait: users are never removed, and a new group is nobody else's business.
        var trimmed = name?.Trim() ?? "";
        if (trimmed.Length is 0 or > 60)
        {
            return GroupResult.Bad("A group's name has 1 to 60 characters.");
        }

        string[] members = [actorId, .. (memberIds ?? []).Where(id => id != actorId).Distinct()];
        if (members.Length < 2)
        {
            return GroupResult.Bad("Choose at least one more member.");
        }

        if (users.Existing(members).Count != members.Length)
        {
            return GroupResult.Bad("One of the members does not exist.");
        }

        var group = new ChatGroup(RandomNumberGenerator.GetHexString(16, lowercase: true), trimmed, actorId, members);
        return await InTurn(
            () => Change(
                group.Id,
                () => groups.Add(group),
                async () => await im.Groups.CreateAsync(
                    new NewGroup { GroupId = group.Id, Info = new GroupInfo(group.Name), MemberIds = members, ActorId = actorId },
                    CancellationToken.None),
                () => groups.Remove(group.Id)),
            cancellationToken);
    }

    public Task<GroupResult> AddAsync(string actorId, string groupId, IReadOnlyList<string>? userIds, CancellationToken cancellationToken) =>
        InTurn(() => AddInTurn(actorId, groupId, userIds), cancellationToken);

    /// <summary>Leaves, or removes somebody else, which only the group's owner may.</summary>
    public Task<GroupResult> RemoveAsync(string actorId, string groupId, string userId, CancellationToken cancellationToken) =>
        InTurn(() => RemoveInTurn(actorId, groupId, userId), cancellationToken);

    private async Task<GroupResult> AddInTurn(string actorId, string groupId, IReadOnlyList<string>? userIds)
    {
        if (groups.Find(groupId) is not { } group || !group.MemberIds.Contains(actorId))
        {
            return GroupResult.NotFound;
        }

        string[] added = [.. (userIds ?? []).Distinct().Except(group.MemberIds)];
        if (added.Length == 0 || users.Existing(added).Count != added.Length)
        {
            return GroupResult.Bad("Choose somebody who is not in the group yet.");
        }

        return await Change(
            groupId,
            () => groups.AddMembers(groupId, added),
            async () => await im.Groups.AddMembersAsync(groupId, added, actorId, CancellationToken.None),
            () => Array.ForEach(added, user => groups.RemoveMember(groupId, user)));
    }

    private async Task<GroupResult> RemoveInTurn(string actorId, string groupId, string userId)
    {
        if (groups.Find(groupId) is not { } group || !group.MemberIds.Contains(actorId) || !group.MemberIds.Contains(userId))
        {
            return GroupResult.NotFound;
        }

        if (actorId != userId && actorId != group.OwnerId)
        {
            return GroupResult.Forbidden;
        }

        var left = group.MemberIds.Where(id => id != userId).ToArray();
        if (left.Length == 0)
        {
            return await Change(
                groupId,
                () => groups.Remove(groupId),
                async () => await im.Groups.DissolveAsync(groupId, actorId, CancellationToken.None),
                () => groups.Add(group));
        }

        return await Change(
            groupId,
            () =>
            {
                groups.RemoveMember(groupId, userId);
                if (userId == group.OwnerId)
                {
                    groups.SetOwner(groupId, left[0]);
                }
            },
            async () => await im.Groups.RemoveMembersAsync(groupId, [userId], actorId, CancellationToken.None),
            () =>
            {
                groups.AddMembers(groupId, [userId]);
                groups.SetOwner(groupId, group.OwnerId);
            });
    }

    /// <summary>Checks and changes while nobody else does. Whoever goes away while waiting has changed nothing.</summary>
    private async Task<GroupResult> InTurn(Func<Task<GroupResult>> checkAndChange, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return await checkAndChange();
        }
        finally
        {
            _gate.Release();
        }
    }

    // From the write on nothing is cancelled: a client that goes away does not leave the two sides different.
    private async Task<GroupResult> Change(string groupId, Action write, Func<Task> follow, Action undo)
    {
        write();
        try
        {
            await follow();
        }
        catch (ImException e) when (IsRefusal(e.Code))
        {
            undo();
            return GroupResult.Bad(e.Message);
        }

        return GroupResult.Ok(groups.Find(groupId));
    }

    // Only a refusal says that IM has changed nothing. After any other failure it may have, so the database, which is the truth, stays as it is.
    private static bool IsRefusal(ImErrorCode code) => code is ImErrorCode.InvalidArgument or >= ImErrorCode.UnknownUser;
}
