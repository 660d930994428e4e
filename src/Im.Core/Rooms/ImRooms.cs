using Google.Protobuf;
using Im.Connections;
using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Microsoft.Extensions.Options;

namespace Im.Rooms;

/// <summary>The host's view of rooms.</summary>
internal sealed class ImRooms(
    RoomRegistry rooms, RoomPublisher publisher, TimeProvider time, IOptions<ImServerOptions> serverOptions, IOptions<ImRoomOptions> options) : IImRooms
{
    public async ValueTask<RoomPosition> SendAsync(
        string roomId, OutgoingRoomMessage message, RoomPriority priority = RoomPriority.Normal, CancellationToken cancellationToken = default)
    {
        RoomRules.CheckId(roomId, options.Value.MaxRoomIdBytes);
        return await await SubmitAsync(roomId, Encode(message), RoomRules.CheckPriority(priority), cancellationToken);
    }

    public async ValueTask<IReadOnlyList<RoomPosition>> SendAsync(
        string roomId,
        IReadOnlyList<OutgoingRoomMessage> messages,
        RoomPriority priority = RoomPriority.Normal,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        RoomRules.CheckId(roomId, options.Value.MaxRoomIdBytes);
        priority = RoomRules.CheckPriority(priority);

        // All are checked before the first goes.
        var encoded = messages.Select(Encode).ToArray();
        var pending = new Task<RoomPosition>[encoded.Length];
        for (var i = 0; i < encoded.Length; i++)
        {
            pending[i] = await SubmitAsync(roomId, encoded[i], priority, cancellationToken);
        }

        return await Task.WhenAll(pending).WaitAsync(cancellationToken);
    }

    public int CountSubscribers(string roomId) => rooms.Find(roomId)?.Count ?? 0;

    public int Remove(string roomId, string? userId = null)
    {
        if (rooms.Find(roomId) is not { } room)
        {
            return 0;
        }

        var removed = 0;
        var subscriptions = room.Rent(out var count);
        foreach (var subscription in subscriptions.AsSpan(0, count))
        {
            var session = subscription.Session;
            if ((userId is null || session.UserId == userId) && session.LeaveRoom(roomId))
            {
                session.Connection.Reply(0, new ServerPacket { RoomLeft = new RoomLeft { RoomId = roomId } });
                removed++;
            }
        }

        System.Buffers.ArrayPool<RoomSubscription>.Shared.Return(subscriptions, clearArray: true);
        return removed;
    }

    private async ValueTask<Task<RoomPosition>> SubmitAsync(string roomId, byte[] bytes, RoomPriority priority, CancellationToken cancellationToken)
    {
        var message = new HostRoomMessage(bytes);
        await publisher.SubmitAsync(roomId, priority, message, cancellationToken);
        return message.Done.WaitAsync(cancellationToken);
    }

    private byte[] Encode(OutgoingRoomMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (!Ids.IsUserId(message.SenderId) && !Ids.IsSystemSender(message.SenderId))
        {
            throw new ImException(
                ImErrorCode.InvalidArgument, $"senderId must be a user's id or a system sender's name ($…) of at most {Ids.MaxBytes} bytes without control characters.");
        }

        var content = ContentMapping.ToWire(message.Content);
        RoomRules.CheckMessage(message.ClientMessageId, content, serverOptions.Value.MaxBodyBytes);
        return new RoomMessage
        {
            SenderId = message.SenderId,
            ClientMessageId = message.ClientMessageId,
            TimeMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            Content = content,
        }.ToByteArray();
    }
}
