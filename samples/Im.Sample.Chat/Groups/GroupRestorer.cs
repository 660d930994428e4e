using Im.Groups;
using Im.Protocol;
using Im.Sample.Chat.Data;
using GroupInfo = Im.Model.GroupInfo;

namespace Im.Sample.Chat.Groups;

/// <summary>
/// Creates the groups again at start: IM's store is in memory here, the sample's own database is not. It runs before the web server accepts, so a
/// browser that reconnects finds its groups. With a durable store it only meets groups that exist.
/// </summary>
internal sealed partial class GroupRestorer(GroupTable groups, IImServer im, ILogger<GroupRestorer> logger) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var created = 0;
        foreach (var group in groups.All())
        {
            try
            {
                await im.Groups.CreateAsync(
                    new NewGroup { GroupId = group.Id, Info = new GroupInfo(group.Name), MemberIds = group.MemberIds, ActorId = group.OwnerId },
                    cancellationToken);
                created++;
            }
            catch (ImException e) when (e.Code == ImErrorCode.AlreadyExists)
            {
                // A durable store remembers it.
            }
        }

        LogRestored(created);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(1, LogLevel.Information, "{Count} groups created again from the sample's database.")]
    private partial void LogRestored(int count);
}
