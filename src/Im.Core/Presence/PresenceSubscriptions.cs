using System.Text.Json;
using Im.Cluster;
using Im.Connections;
using Im.Conversations;
using Im.Model;
using Im.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Im.Presence;

/// <summary>Handles what clients ask of presence. A connection's requests come one at a time.</summary>
internal sealed class PresenceSubscriptions(
    PresenceWatches watches,
    PresenceReader reader,
    ConversationCache conversations,
    OnlineUsers online,
    ClusterRequests requests,
    IServiceScopeFactory scopes,
    IOptions<ImPresenceOptions> options)
{
    private readonly ImPresenceOptions _options = options.Value;

    /// <summary>Watches first, then reads the states, then answers: a change in between comes after the answer.</summary>
    public async ValueTask SubscribeAsync(Connection connection, Session session, uint requestId, SubscribePresence request, CancellationToken cancellationToken)
    {
        CheckFields(request.UserIds, request.ConversationId);
        if (request.UserIds.Count == 0 && request.ConversationId.Length == 0)
        {
            throw new ImException(ImErrorCode.InvalidArgument, "subscribePresence names neither users nor a conversation.");
        }

        // Each costs look-ups for many users: it counts as a message.
        if (!connection.SendRate.TryTake(null))
        {
            throw new ImException(ImErrorCode.RateLimited, "More requests a second than the session may make (MaxSendsPerSecond); subscribe again later.");
        }

        // Everything is asked before anything is watched: a refusal leaves everything as it was.
        var userIds = await FindVisibleAsync(session.UserId, [.. request.UserIds.Distinct(StringComparer.Ordinal)], null, cancellationToken);
        var (info, members, isPartial) = await FindMembersAsync(session.UserId, request.ConversationId, cancellationToken);
        var visible = info is null ? [] : await FindVisibleAsync(session.UserId, members, request.ConversationId, cancellationToken);
        if (userIds.Count == 0 && visible.Count == 0)
        {
            throw Forbidden();
        }

        if (!watches.TryAdd(session, userIds, visible.Count > 0 ? info : null, visible, isPartial, seesAll: visible.Count == members.Count))
        {
            throw TooMany();
        }

        var all = userIds.Union(visible, StringComparer.Ordinal).ToArray();
        try
        {
            watches.Apply(await reader.ReadAsync(all, cancellationToken));
            connection.Reply(requestId, new ServerPacket { PresenceSubscribed = watches.Answer(session, all, isPartial) });
        }
        finally
        {
            watches.Answered(session);
            if (session.IsOver)
            {
                // It ended meanwhile, and has nothing to end any more.
                watches.Remove(session);
            }
        }
    }

    public void Unsubscribe(Connection connection, Session session, uint requestId, UnsubscribePresence request)
    {
        CheckFields(request.UserIds, request.ConversationId);
        if (request.UserIds.Count == 0 && request.ConversationId.Length == 0)
        {
            watches.Remove(session);
        }
        else
        {
            watches.Remove(session, request.UserIds, request.ConversationId);
        }

        connection.Reply(requestId, new ServerPacket { PresenceUnsubscribed = new PresenceUnsubscribed() });
    }

    private void CheckFields(IReadOnlyList<string> userIds, string conversationId)
    {
        if (userIds.Count > _options.MaxUsersPerConnection)
        {
            throw TooMany();
        }

        if (!userIds.All(Ids.IsUserId) || conversationId.Length > ConversationId.MaxBytes)
        {
            throw new ImException(ImErrorCode.InvalidArgument, $"userIds must be ids of users, and conversationId at most {ConversationId.MaxBytes} bytes.");
        }
    }

    private async ValueTask<IReadOnlyList<string>> FindVisibleAsync(
        string userId, IReadOnlyList<string> targetIds, string? conversationId, CancellationToken cancellationToken)
    {
        string[] others = [.. targetIds.Where(other => other != userId)];
        IReadOnlyCollection<string> visible = [];
        if (others.Length > 0)
        {
            await using var scope = scopes.CreateAsyncScope();
            visible = await scope.ServiceProvider.GetRequiredService<IPresencePolicy>().FindVisibleAsync(userId, others, conversationId, cancellationToken);
        }

        // Whatever the policy names beyond what it was asked about is not shown.
        var allowed = visible.ToHashSet(StringComparer.Ordinal);
        return [.. targetIds.Where(target => target == userId || allowed.Contains(target))];
    }

    // The members to be watched; none where the user is no member.
    private async ValueTask<(ConversationInfo? Info, IReadOnlyList<string> Members, bool IsPartial)> FindMembersAsync(
        string userId, string conversationId, CancellationToken cancellationToken)
    {
        var info = conversationId.Length == 0 ? null : await conversations.GetAsync(conversationId, cancellationToken);
        if (info is null or { Group.IsDissolved: true })
        {
            return (null, [], false);
        }

        (info, var isMember) = await conversations.FindMembersAsync(info, [userId], isLane: false, cancellationToken);
        if (!isMember[0] || !await ExistsAsync(userId, info, cancellationToken))
        {
            return (null, [], false);
        }

        return info.HasMembers && info.MemberCount <= _options.MaxConversationMembers
            ? (info, info.Members, false)
            : (info, await FindOnlineAsync(info, cancellationToken), true);
    }

    // Anybody can name a direct conversation; it shows its other side only once it is there.
    private async ValueTask<bool> ExistsAsync(string userId, ConversationInfo info, CancellationToken cancellationToken)
    {
        if (info.Group is not null)
        {
            return true;
        }

        string[] others = [.. info.Members.Where(member => member != userId)];
        return others.Length > 0 && (await FindVisibleAsync(userId, others, null, cancellationToken)).Count > 0;
    }

    // Of a large group each node knows who follows it there; of one with fan-out on write the members are asked for, a few at a time.
    private async ValueTask<IReadOnlyList<string>> FindOnlineAsync(ConversationInfo info, CancellationToken cancellationToken)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        if (info.WritesInboxes)
        {
            foreach (var slice in info.Members.Chunk(_options.MaxConversationMembers))
            {
                found.UnionWith(await online.FindAsync(slice, cancellationToken));
                if (found.Count >= _options.MaxConversationMembers)
                {
                    break;
                }
            }
        }
        else
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(
                new OnlineReadersRequest(info.ConversationId, _options.MaxConversationMembers), PresenceJson.Default.OnlineReadersRequest);
            foreach (var (_, answer) in await requests.AskAllAsync(OnlineReaders.OperationName, body, cancellationToken))
            {
                found.UnionWith(answer is null ? [] : JsonSerializer.Deserialize(answer, PresenceJson.Default.StringArray)!);
            }
        }

        string[] some = [.. found.Take(_options.MaxConversationMembers)];
        var (_, isMember) = await conversations.FindMembersAsync(info, some, isLane: false, cancellationToken);
        return [.. some.Where((_, index) => isMember[index])];
    }

    private static ImException Forbidden() => new(
        ImErrorCode.PresenceForbidden, "You may not see any of this presence: by default you see those with whom you have a direct conversation, and members of your groups.");

    private ImException TooMany() => new(
        ImErrorCode.TooManySubscriptions, $"One connection may watch {_options.MaxUsersPerConnection} users (MaxUsersPerConnection); unsubscribe from some first.");
}
