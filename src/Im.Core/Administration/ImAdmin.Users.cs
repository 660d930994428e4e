using Google.Protobuf;
using Im.Cluster;
using Im.Diagnostics;
using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;

namespace Im.Administration;

/// <content>Users, groups, and messages to everybody.</content>
internal sealed partial class ImAdmin
{
    // What IImGroups lists in one go.
    private const int MaxMembers = 1000;

    public async ValueTask<AdminOnlinePage> ListOnlineAsync(string? after = null, int limit = 50, CancellationToken cancellationToken = default)
    {
        var room = AdminArguments.Clamp(limit, options.Value);
        try
        {
            var page = await directory.ListAsync(after, room, cancellationToken);
            var view = state.View;
            return new AdminOnlinePage(
                [
                    .. page.Users
                        .Select(user => new AdminOnlineUser(user.UserId, [.. user.Sessions.Where(view.IsAlive).Select(ToOnline)]))
                        .Where(user => user.Sessions.Count > 0),
                ],
                page.Next);
        }
        catch (ImClusterException exception)
        {
            throw new ImException(
                ImErrorCode.ClusterUnavailable, "The session directory cannot be reached now, and only it knows who is online on all nodes; try again.", exception);
        }
    }

    public async ValueTask<AdminUser?> GetUserAsync(
        string userId, string? afterConversationId = null, int limit = 50, CancellationToken cancellationToken = default)
    {
        AdminArguments.ThrowIfNoUserId(userId);
        var room = AdminArguments.Clamp(limit, options.Value);
        if ((await users.FindUnknownAsync([userId], cancellationToken)).Count > 0)
        {
            return null;
        }

        var now = await sessions.GetSessionsAsync(userId, cancellationToken);
        var inbox = TimelineKey.Inbox(userId);
        var acked = new List<AdminDevice>();
        foreach (var device in (await devices.ListAsync(userId, cancellationToken)).Take(options.Value.MaxPageItems))
        {
            acked.Add(new AdminDevice(device, await devices.GetAckAsync(userId, device.DeviceId, inbox, cancellationToken)));
        }

        var page = await conversations.ListAsync(userId, afterConversationId, room, cancellationToken);
        return new AdminUser
        {
            UserId = userId,
            IsOnline = now.Count > 0,
            LastSeenMs = await FindLastSeenAsync(userId, cancellationToken),
            InboxHead = (await store.GetHeadsAsync([inbox], cancellationToken))[0].Head,
            Sessions = now,
            Devices = acked,
            Conversations = [.. page.Select(ToConversation)],
            NextConversation = page.Count == room ? page[^1].ConversationId : null,
        };
    }

    public async ValueTask<AdminBroadcast> SendToAllAsync(string senderId, MessageContent content, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (senderId is null || !(Ids.IsUserId(senderId) || Ids.IsSystemSender(senderId)))
        {
            throw new ArgumentException($"The sender must be a user's id, or a name that begins with '{ConversationId.SystemPrefix}' for a system sender.", nameof(senderId));
        }

        var wire = ContentMapping.ToWire(content);
        if (ContentRules.Check(wire, server.Value.MaxBodyBytes) is { } problem)
        {
            throw new ImException(problem.Code, problem.Message);
        }

        var entry = new Entry
        {
            SenderId = senderId,
            ClientMessageId = Guid.NewGuid().ToString("N"),
            TimeMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            Content = wire,
        };
        var packet = new ServerPacket { Signal = new Signal { Message = entry } };
        var answers = await nodes.AskAllAsync(
            Broadcast.OperationName, new BroadcastRequest(packet.ToByteArray()), AdminJson.Default.BroadcastRequest, AdminJson.Default.BroadcastAnswer, cancellationToken);
        var result = new AdminBroadcast(
            answers.Sum(one => one.Answer?.Sessions ?? 0),
            answers.Sum(one => one.Answer?.Dropped ?? 0),
            [.. answers.Where(one => one.Answer is null).Select(one => one.Node.Name)]);
        Log.AdminSentToAll(logger, senderId, result.Sessions, result.Dropped);
        return result;
    }

    public async ValueTask<AdminGroup?> GetGroupAsync(string groupId, CancellationToken cancellationToken = default)
    {
        AdminArguments.ThrowIfNoId(groupId, Ids.MaxGroupIdBytes, nameof(groupId));
        if (await groups.GetAsync(groupId, cancellationToken) is not { } group)
        {
            return null;
        }

        var head = (await store.GetHeadsAsync([TimelineKey.Conversation(group.ConversationId)], cancellationToken))[0];
        return new AdminGroup(
            groupId, group.ConversationId, group.Info, group.MemberCount, group.Version, group.Fanout, group.IsDissolved, head.Head, head.Floor, head.Ordinal);
    }

    public async ValueTask<AdminMemberPage?> ListMembersAsync(
        string groupId, string? afterUserId = null, int limit = 50, CancellationToken cancellationToken = default)
    {
        AdminArguments.ThrowIfNoId(groupId, Ids.MaxGroupIdBytes, nameof(groupId));
        var room = Math.Min(AdminArguments.Clamp(limit, options.Value), MaxMembers);
        if (await groups.GetAsync(groupId, cancellationToken) is null)
        {
            return null;
        }

        var members = await groups.ListMembersAsync(groupId, afterUserId, room, cancellationToken);
        return new AdminMemberPage(members, members.Count == room ? members[^1] : null);
    }

    public async ValueTask<AdminTrace> TraceAsync(AdminTraceQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        return await tracer.TraceAsync(query, cancellationToken);
    }

    private async ValueTask<long> FindLastSeenAsync(string userId, CancellationToken cancellationToken)
    {
        try
        {
            return (await directory.FindAsync([userId], cancellationToken))[0].LastSeenMs;
        }
        catch (ImClusterException)
        {
            // Not known now; the rest of the answer is.
            return 0;
        }
    }

    private static AdminOnlineSession ToOnline(DirectorySession session) =>
        new(session.DeviceId, session.DeviceType, session.NodeName, session.ConnectionId, session.SignedInMs);

    private static AdminConversation ToConversation(UserConversation one) =>
        new(one.ConversationId, one.Group?.Name ?? "", one.Head.Head, one.ReadSeq.Value, one.Unread, one.MemberCount);
}
