using Im.Groups;
using Im.Sample.Chat.Data;
using GroupInfo = Im.Model.GroupInfo;

namespace Im.Sample.Chat.Groups;

/// <summary>
/// Makes IM's groups what the sample's database says, at start: the process may have died between the two writes of a change. It runs before the web server
/// accepts, and finds nothing to do almost always.
/// </summary>
internal sealed partial class GroupReconciler(GroupTable groups, IImServer im, ILogger<GroupReconciler> logger) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var group in groups.All())
        {
            if (await im.Groups.GetAsync(group.Id, cancellationToken) is not { } known)
            {
                await im.Groups.CreateAsync(
                    new NewGroup { GroupId = group.Id, Info = new GroupInfo(group.Name), MemberIds = group.MemberIds, ActorId = group.OwnerId },
                    cancellationToken);
                LogRepaired(group.Id);
            }
            else if (!known.IsDissolved)
            {
                await ReconcileMembersAsync(group, cancellationToken);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task ReconcileMembersAsync(ChatGroup group, CancellationToken cancellationToken)
    {
        var members = new List<string>();
        while (await im.Groups.ListMembersAsync(group.Id, members.LastOrDefault(), cancellationToken: cancellationToken) is { Count: > 0 } page)
        {
            members.AddRange(page);
        }

        string[] missing = [.. group.MemberIds.Except(members)];
        string[] surplus = [.. members.Except(group.MemberIds)];
        if (missing.Length > 0)
        {
            await im.Groups.AddMembersAsync(group.Id, missing, group.OwnerId, cancellationToken);
            LogRepaired(group.Id);
        }

        if (surplus.Length > 0)
        {
            await im.Groups.RemoveMembersAsync(group.Id, surplus, group.OwnerId, cancellationToken);
            LogRepaired(group.Id);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "IM's group {GroupId} was made what the sample's database says.")]
    private partial void LogRepaired(string groupId);
}
