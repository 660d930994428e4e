using Google.Protobuf;
using Im.Cluster;
using Im.Connections;
using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Microsoft.Extensions.Options;

namespace Im.Rooms;

/// <summary>Handles what clients ask of rooms. A connection's requests come one at a time.</summary>
internal sealed class RoomRequests(
    RoomRegistry rooms,
    RoomReplayReader replays,
    RoomPublisher publisher,
    RoomAccessCheck access,
    RoomStoreFailures failures,
    RoomMetrics metrics,
    TimeProvider time,
    IOptions<ImServerOptions> serverOptions,
    IOptions<ImRoomOptions> options)
{
    private readonly ImRoomOptions _options = options.Value;

    /// <summary>
    /// Subscribes. Listens first and keeps aside what comes, reads the replay, and then queues reply, replay and what came in one step; in that same step
    /// the connection leaves what it is to leave. A failure leaves everything as it was. Whoever the host removes meanwhile is refused: the policy may have
    /// answered before it knew.
    /// </summary>
    public async ValueTask SubscribeAsync(Session session, uint requestId, SubscribeRoom request, CancellationToken cancellationToken)
    {
        CheckRoomId(request.RoomId);
        if (request.ReplayMessages < 0 || request.ReplayMs < 0 || request.Cursors.Any(cursor => cursor.RoomSeq < 0))
        {
            throw new ImException(ImErrorCode.InvalidArgument, "replayMessages, replayMs and the cursors' roomSeq must not be negative.");
        }

        if (!request.LeaveOthers && !session.HasPlaceForRoom(request.RoomId, _options.MaxRoomsPerConnection))
        {
            throw new ImException(
                ImErrorCode.TooManySubscriptions, $"One connection may subscribe to {_options.MaxRoomsPerConnection} rooms (MaxRoomsPerConnection); leave one first.");
        }

        var subscription = new RoomSubscription(session, request.RoomId, _options);
        var isLive = false;
        rooms.Begin(subscription);
        try
        {
            await access.CheckSubscribeAsync(session, request.RoomId, cancellationToken);
            var room = rooms.Add(subscription);
            ThrowIfRemoved(subscription);
            await room.ListenAsync(cancellationToken);
            var start = await replays.ReadAsync(room, request, cancellationToken);
            isLive = session.GoLive(subscription, start, request.LeaveOthers, Answer(requestId, request.RoomId, start.Heads), metrics);
            if (!isLive)
            {
                ThrowIfRemoved(subscription);
            }
        }
        catch (ImClusterException exception)
        {
            throw failures.Report("subscribe", request.RoomId, exception);
        }
        finally
        {
            if (!isLive)
            {
                subscription.Room?.Remove(subscription);
            }

            rooms.End(subscription);
        }
    }

    public void Leave(Connection connection, Session session, uint requestId, LeaveRoom request)
    {
        session.LeaveRoom(request.RoomId);
        connection.Reply(requestId, new ServerPacket { RoomLeft = new RoomLeft { RoomId = request.RoomId } });
    }

    /// <summary>Ends when the message waits for its publish; the answer comes later, as a send's does.</summary>
    public async ValueTask SendAsync(Connection connection, Session session, uint requestId, SendToRoom request, CancellationToken cancellationToken)
    {
        CheckRoomId(request.RoomId);
        var priority = RoomRules.CheckPriority(request.Priority);
        var content = request.Content ?? new Content();
        RoomRules.CheckMessage(request.ClientMessageId, content, serverOptions.Value.MaxBodyBytes);
        if (!connection.SendRate.TryTake(null))
        {
            throw new ImException(ImErrorCode.RateLimited, $"More than {serverOptions.Value.MaxSendsPerSecond} messages a second; send again later.");
        }

        await access.CheckSendAsync(session, request.RoomId, cancellationToken);
        var timeMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        var message = new RoomMessage
        {
            SenderId = session.UserId,
            SenderDeviceId = session.Device.DeviceId,
            ClientMessageId = request.ClientMessageId,
            TimeMs = timeMs,
            Content = content,
        };

        // Ended by the answer.
        connection.BeginPending();
        try
        {
            await publisher.SubmitAsync(
                request.RoomId, priority, new ClientRoomMessage(connection, requestId, request.RoomId, priority, timeMs, message.ToByteArray()), cancellationToken);
        }
        catch
        {
            // The caller answers with the error.
            connection.EndPending();
            throw;
        }
    }

    private void CheckRoomId(string roomId) => RoomRules.CheckId(roomId, _options.MaxRoomIdBytes);

    private static void ThrowIfRemoved(RoomSubscription subscription)
    {
        if (subscription.IsEnded)
        {
            throw new ImException(ImErrorCode.RoomForbidden, $"The host has removed you from the room \"{subscription.RoomId}\" while you subscribed.");
        }
    }

    private static ServerPacket Answer(uint requestId, string roomId, RoomHeads heads)
    {
        var subscribed = new RoomSubscribed { RoomId = roomId, Epoch = heads.Epoch };
        subscribed.Heads.Add(new RoomCursor { Priority = RoomPriority.Normal, RoomSeq = heads.Normal });
        subscribed.Heads.Add(new RoomCursor { Priority = RoomPriority.High, RoomSeq = heads.High });
        return new ServerPacket { RequestId = requestId, RoomSubscribed = subscribed };
    }
}
