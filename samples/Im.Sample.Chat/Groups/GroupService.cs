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
        return await Change(
            () => groups.Add(group),
            async () => await im.Groups.CreateAsync(
                new NewGroup { GroupId = group.Id, Info = new GroupInfo(group.Name), MemberIds = members, ActorId = actorId }, cancellationToken),
            () => groups.Remove(group.Id),
            group.Id,
            cancellationToken);
    }

    public async Task<GroupResult> AddAsync(string actorId, string groupId, IReadOnlyList<string>? userIds, CancellationToken cancellationToken)
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
            () => groups.AddMembers(groupId, added),
            async () => await im.Groups.AddMembersAsync(groupId, added, actorId, cancellationToken),
            () => Array.ForEach(added, user => groups.RemoveMember(groupId, user)),
            groupId,
            cancellationToken);
    }

    /// <summary>Leaves, or removes somebody else, which only the group's owner may.</summary>
    public async Task<GroupResult> RemoveAsync(string actorId, string groupId, string userId, CancellationToken cancellationToken)
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
                () => groups.Remove(groupId), async () => await im.Groups.DissolveAsync(groupId, actorId, cancellationToken),
                () => groups.Add(group), groupId, cancellationToken);
        }

        return await Change(
            () =>
            {
                groups.RemoveMember(groupId, userId);
                if (userId == group.OwnerId)
                {
                    groups.SetOwner(groupId, left[0]);
                }
            },
            async () => await im.Groups.RemoveMembersAsync(groupId, [userId], actorId, cancellationToken),
            () =>
            {
                groups.AddMembers(groupId, [userId]);
                groups.SetOwner(groupId, group.OwnerId);
            },
            groupId,
            cancellationToken);
    }

    private async Task<GroupResult> Change(Action write, Func<Task> follow, Action undo, string groupId, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            write();
            try
            {
                await follow();
            }
            catch (ImException e)
            {
                undo();
                return GroupResult.Bad(e.Message);
            }
            catch
            {
                undo();
                throw;
            }

            return GroupResult.Ok(groups.Find(groupId));
        }
        finally
        {
            _gate.Release();
        }
    }
}
