using Im.Cluster;
using Im.Conversations;
using Im.Devices;
using Im.Diagnostics;
using Im.Messaging;
using Im.Presence;
using Im.Protocol;
using Im.Rooms;
using Im.Sync;

namespace Im.Connections;

/// <summary>Takes each kind of request to where it is handled.</summary>
internal sealed class Requests(
    SignInHandler signIn,
    SendPipeline sends,
    SyncReader sync,
    ReadMarks marks,
    DeviceAcks acks,
    RoomRequests rooms,
    PresenceSubscriptions presence,
    SignalSender signals,
    ClusterState cluster,
    ServerLifetime lifetime,
    ImMetrics metrics)
{
    public async ValueTask HandleAsync(Connection connection, ClientPacket request)
    {
        var cancellationToken = lifetime.Stopping;
        switch (request.PacketCase)
        {
            case ClientPacket.PacketOneofCase.SignIn when connection.Session is null:
                await signIn.SignInAsync(connection, request.RequestId, request.SignIn, cancellationToken);
                break;
            case ClientPacket.PacketOneofCase.SignIn:
                connection.ReplyError(request.RequestId, ImErrorCode.AlreadySignedIn, "This connection is signed in; open another one for another device.");
                break;
            case var _ when connection.Session is null:
                // The sign-in before it failed, and the connection is being closed.
                break;
            case ClientPacket.PacketOneofCase.RefreshToken:
                await signIn.RefreshAsync(connection, request.RequestId, request.RefreshToken.Token, cancellationToken);
                break;
            case ClientPacket.PacketOneofCase.Send:
                await SendAsync(connection, connection.Session, request, cancellationToken);
                break;
            case ClientPacket.PacketOneofCase.Sync:
                connection.Reply(request.RequestId, new ServerPacket { SyncPage = await sync.ReadAsync(connection.Session.UserId, request.Sync, cancellationToken) });
                break;
            case ClientPacket.PacketOneofCase.DeviceAck:
                await acks.AckAsync(connection.Session, request.DeviceAck, cancellationToken);
                if (request.RequestId != 0)
                {
                    connection.Reply(request.RequestId, new ServerPacket { DeviceAcked = new DeviceAcked() });
                }

                break;
            case ClientPacket.PacketOneofCase.MarkRead:
                connection.Reply(request.RequestId, new ServerPacket { MarkedRead = await marks.MoveAsync(connection.Session.UserId, request.MarkRead, cancellationToken) });
                break;
            case ClientPacket.PacketOneofCase.SubscribeRoom:
                await rooms.SubscribeAsync(connection.Session, request.RequestId, request.SubscribeRoom, cancellationToken);
                break;
            case ClientPacket.PacketOneofCase.LeaveRoom:
                rooms.Leave(connection, connection.Session, request.RequestId, request.LeaveRoom);
                break;
            case ClientPacket.PacketOneofCase.SendToRoom:
                await rooms.SendAsync(connection, connection.Session, request.RequestId, request.SendToRoom, cancellationToken);
                break;
            case ClientPacket.PacketOneofCase.SubscribePresence:
                await presence.SubscribeAsync(connection, connection.Session, request.RequestId, request.SubscribePresence, cancellationToken);
                break;
            case ClientPacket.PacketOneofCase.UnsubscribePresence:
                presence.Unsubscribe(connection, connection.Session, request.RequestId, request.UnsubscribePresence);
                break;
            case ClientPacket.PacketOneofCase.SendSignal:
                await signals.HandleAsync(connection, connection.Session, request.RequestId, request.SendSignal, cancellationToken);
                break;
            case ClientPacket.PacketOneofCase.Ping:
                // One that came before the sign-in was done, or while the sessions are registered again: a client whose session may have been
                // replaced meanwhile is not told that it lives.
                await cluster.WhenRegistered.WaitAsync(cancellationToken);
                connection.ReplyPong(request.RequestId);
                break;
            default:
                connection.ReplyError(request.RequestId, ImErrorCode.UnknownPacket, "The packet is empty or of a kind that this server does not know.");
                break;
        }
    }

    private async ValueTask SendAsync(Connection connection, Session session, ClientPacket request, CancellationToken cancellationToken)
    {
        var send = request.Send;
        var message = new ClientMessage(connection, request.RequestId, metrics)
        {
            Origin = connection,
            SenderId = session.UserId,
            SenderDeviceId = session.Device.DeviceId,
            ClientMessageId = send.ClientMessageId,
            TargetConversationId = send.ConversationId,
            TargetUserId = send.UserId,
            Content = send.Content ?? new Content(),
            NonPersistent = send.NonPersistent,
            Activity = ImActivitySource.StartSend(request.Traceparent, session.UserId, request.RequestId),
        };

        // Ended by the answer.
        connection.BeginPending();
        try
        {
            await sends.SubmitAsync(message, cancellationToken);
        }
        catch
        {
            // The caller answers with the error.
            message.Activity?.Dispose();
            connection.EndPending();
            throw;
        }
    }
}
