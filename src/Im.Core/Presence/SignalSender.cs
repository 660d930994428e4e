using System.Text;
using Google.Protobuf;
using Im.Cluster;
using Im.Cluster.Wire;
using Im.Connections;
using Im.Conversations;
using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Im.Rooms;
using Im.Storage;
using Microsoft.Extensions.Options;

namespace Im.Presence;

/// <summary>Takes typing and the like from clients and the host to who is online in a conversation or subscribes to a room.</summary>
internal sealed class SignalSender(
    ConversationCache conversations,
    IConversationStore store,
    SignalRelay relay,
    RemoteSignals signals,
    RoomAccessCheck rooms,
    ClusterSender cluster,
    ClusterState state,
    TimeProvider time,
    PresenceMetrics metrics,
    IOptions<ImPresenceOptions> options)
{
    public const int MaxDataBytes = 1024;
    private const int MaxCached = 10_000;

    private readonly ImPresenceOptions _options = options.Value;

    // Direct conversations that are known to exist; they do not cease to.
    private readonly BoundedCache<bool> _existing = new(MaxCached);

    /// <summary>A client's signal. One too many is dropped, which the answer says; a request id of 0 gets no answer, whatever was wrong.</summary>
    public async ValueTask HandleAsync(Connection connection, Session session, uint requestId, SendSignal request, CancellationToken cancellationToken)
    {
        bool isRelayed;
        try
        {
            isRelayed = await RelayAsync(connection, session, request, cancellationToken);
        }
        catch (ImException) when (requestId == 0)
        {
            metrics.Signal("refused");
            return;
        }
        catch (ImException)
        {
            metrics.Signal("refused");
            throw;
        }

        metrics.Signal(isRelayed ? "relayed" : "dropped");
        if (requestId != 0)
        {
            connection.Reply(requestId, new ServerPacket { SignalSent = new SignalSent { IsRelayed = isRelayed } });
        }
    }

    /// <summary>The host's signal.</summary>
    public async ValueTask SendAsync(string conversationId, string senderId, string type, string data, CancellationToken cancellationToken)
    {
        CheckFields(type, data);
        if (!Ids.IsUserId(senderId) && !Ids.IsSystemSender(senderId))
        {
            throw new ImException(ImErrorCode.InvalidArgument, $"senderId must be a user's id, or a name that begins with '{ConversationId.SystemPrefix}' for a system sender.");
        }

        var info = await FindAsync(conversationId, senderId, cancellationToken);
        Relay(info, senderId, "", type, data, null);
    }

    private async ValueTask<bool> RelayAsync(Connection connection, Session session, SendSignal request, CancellationToken cancellationToken)
    {
        CheckFields(request.Type, request.Data);
        var throttle = connection.Signals ??= new SignalThrottle(_options, time);
        if (request.TargetCase == SendSignal.TargetOneofCase.RoomId)
        {
            return await RelayToRoomAsync(session, request, throttle, cancellationToken);
        }

        var conversationId = request.TargetCase switch
        {
            SendSignal.TargetOneofCase.ConversationId => request.ConversationId,
            SendSignal.TargetOneofCase.UserId when Ids.IsUserId(request.UserId) => ConversationId.Direct(session.UserId, request.UserId),
            _ => throw new ImException(ImErrorCode.InvalidArgument, "Set conversationId, userId or roomId, and a valid one."),
        };
        if (conversationId.Length > ConversationId.MaxBytes)
        {
            throw Unknown(conversationId);
        }

        // Before anything is asked of the store.
        if (!throttle.TryTake(conversationId))
        {
            return false;
        }

        var info = await FindAsync(conversationId, session.UserId, cancellationToken);
        if (info.Group is not null && info.MemberCount > _options.MaxSignalMembers)
        {
            return false;
        }

        Relay(info, session.UserId, session.Device.DeviceId, request.Type, request.Data, connection);
        return true;
    }

    private async ValueTask<bool> RelayToRoomAsync(Session session, SendSignal request, SignalThrottle throttle, CancellationToken cancellationToken)
    {
        if (!session.IsInRoom(request.RoomId))
        {
            throw new ImException(ImErrorCode.RoomForbidden, $"Signals go to rooms that this connection subscribes to; \"{request.RoomId}\" is none.");
        }

        if (!throttle.TryTake("r:" + request.RoomId))
        {
            return false;
        }

        await rooms.CheckSendAsync(session, request.RoomId, cancellationToken);
        var packet = ToPacket("", request.RoomId, session.UserId, session.Device.DeviceId, request.Type, request.Data);
        signals.ToRoom(request.RoomId, new SharedPacket(packet), session.Connection);
        cluster.Tell(new NodeMessage { Signals = { new SignalPush { Packet = packet.ToByteString(), RoomId = request.RoomId } } });
        return true;
    }

    private async ValueTask<ConversationInfo> FindAsync(string conversationId, string senderId, CancellationToken cancellationToken)
    {
        var info = ConversationId.IsOwn(conversationId) ? null : await conversations.GetAsync(conversationId, cancellationToken);
        var refusal = await CheckAsync(info, conversationId, senderId, cancellationToken);
        if (refusal is not null && info?.Group is not null && state.MayHavePeers)
        {
            // What is kept may be older than what another node has changed a moment ago.
            info = await conversations.ReloadAsync(conversationId, cancellationToken);
            refusal = await CheckAsync(info, conversationId, senderId, cancellationToken);
        }

        return refusal is null && (info!.Group is not null || await ExistsAsync(info, cancellationToken)) ? info : throw refusal ?? Unknown(conversationId);
    }

    private async ValueTask<ImException?> CheckAsync(ConversationInfo? info, string conversationId, string senderId, CancellationToken cancellationToken)
    {
        if (info is null)
        {
            return Unknown(conversationId);
        }

        if (info.Group is { IsDissolved: true })
        {
            return new ImException(ImErrorCode.Dissolved, "The group was dissolved.");
        }

        var isParty = info.Group is null
            ? ConversationId.TryGetParties(conversationId, out var first, out var second) && (senderId == first || senderId == second)
            : Ids.IsSystemSender(senderId) || (await conversations.FindMembersAsync(info, [senderId], isLane: false, cancellationToken)).IsMember[0];
        return isParty ? null : new ImException(ImErrorCode.NotAMember, $"\"{senderId}\" is not a member of \"{conversationId}\".");
    }

    // Interceptors do not see signals: whoever has never got a message from somebody through them gets no signals either.
    private async ValueTask<bool> ExistsAsync(ConversationInfo info, CancellationToken cancellationToken)
    {
        if (_existing.TryGet(info.ConversationId, out _))
        {
            return true;
        }

        if (info.Members.Length == 0 || (await store.GetAsync(info.Members[0], [info.ConversationId], cancellationToken))[0] is null)
        {
            return false;
        }

        _existing.Set(info.ConversationId, true);
        return true;
    }

    private void Relay(ConversationInfo info, string senderId, string deviceId, string type, string data, Connection? origin)
    {
        var packet = ToPacket(info.ConversationId, "", senderId, deviceId, type, data);
        relay.Relay(info, new SharedPacket(packet), packet, origin);
    }

    private ServerPacket ToPacket(string conversationId, string roomId, string senderId, string deviceId, string type, string data) => new()
    {
        Signal = new Signal
        {
            Sender = new SenderSignal
            {
                ConversationId = conversationId,
                RoomId = roomId,
                SenderId = senderId,
                SenderDeviceId = deviceId,
                Type = type,
                Data = data,
                TimeMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            },
        },
    };

    private static void CheckFields(string type, string data)
    {
        if (!Ids.IsId(type) || Encoding.UTF8.GetByteCount(data) > MaxDataBytes)
        {
            throw new ImException(
                ImErrorCode.InvalidArgument, $"A signal's type must be 1–{Ids.MaxBytes} bytes without control characters, its data at most {MaxDataBytes} bytes.");
        }
    }

    private static ImException Unknown(string conversationId) =>
        new(ImErrorCode.UnknownConversation, $"There is no conversation \"{conversationId}\" to send a signal to; a direct one begins with its first message.");
}
