using Im.Client.Internal;
using Im.Protocol;

namespace Im.Client;

/// <content>Rooms: who subscribes now receives; nothing is durable beyond a short replay.</content>
public sealed partial class ImClient
{
    /// <summary>Subscribes to a room; its messages come as <see cref="ImRoomMessageEvent"/>, what is missing as <see cref="ImRoomGapEvent"/>.</summary>
    /// <remarks>
    /// The client stays in the room until <see cref="LeaveRoomAsync"/>: after a reconnect it subscribes again from where it was, and gets what the room has kept
    /// since. Subscribing again replaces the subscription.
    /// </remarks>
    /// <param name="roomId">The room.</param>
    /// <param name="subscription">What to begin with; null = what is sent from now on.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    public async Task<ImRoomState> SubscribeRoomAsync(
        string roomId, ImRoomSubscription? subscription = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(roomId);
        subscription ??= new ImRoomSubscription();
        ArgumentOutOfRangeException.ThrowIfNegative(subscription.ReplayMessages, nameof(subscription));
        ArgumentOutOfRangeException.ThrowIfLessThan(subscription.ReplayAge, TimeSpan.Zero, nameof(subscription));
        var request = new SubscribeRoom
        {
            RoomId = roomId,
            LeaveOthers = subscription.LeaveOthers,
            ReplayMessages = subscription.ReplayMessages,
            ReplayMs = (long)subscription.ReplayAge.TotalMilliseconds,
        };
        var answer = await AskAsync(new ClientPacket { SubscribeRoom = request }, _options.RequestTimeout, cancellationToken).ConfigureAwait(false);
        var subscribed = answer.RoomSubscribed ?? throw Errors.UnexpectedAnswer(answer);
        return new ImRoomState(
            subscribed.Epoch, RoomCursors.HeadOf(subscribed, RoomPriority.Normal), RoomCursors.HeadOf(subscribed, RoomPriority.High));
    }

    /// <summary>Leaves a room; leaving one that the client is not in is no error. Messages that are in the buffer already still come.</summary>
    public async Task LeaveRoomAsync(string roomId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(roomId);
        _host.Rooms.Remove(roomId);
        var answer = await AskAsync(new ClientPacket { LeaveRoom = new LeaveRoom { RoomId = roomId } }, _options.RequestTimeout, cancellationToken)
            .ConfigureAwait(false);
        _ = answer.RoomLeft ?? throw Errors.UnexpectedAnswer(answer);
    }

    /// <summary>Sends a message to who subscribes to a room now.</summary>
    /// <remarks>
    /// It is sent at once or fails, and fails when the connection is lost before the answer: rooms do not deduplicate, so the client does not send it again by
    /// itself. Any refusal throws <see cref="ImClientException"/> with its code.
    /// </remarks>
    /// <param name="roomId">The room.</param>
    /// <param name="content">What it says.</param>
    /// <param name="priority">High messages overtake normal ones that wait for a subscriber.</param>
    /// <param name="clientMessageId">Passed through to the subscribers; null = a random one.</param>
    /// <param name="cancellationToken">Stops the waiting; a message that was written already may still be delivered.</param>
    public async Task<ImRoomAck> SendToRoomAsync(
        string roomId,
        Content content,
        RoomPriority priority = RoomPriority.Normal,
        string? clientMessageId = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(roomId);
        ArgumentNullException.ThrowIfNull(content);
        var send = new SendToRoom { RoomId = roomId, Priority = priority, ClientMessageId = clientMessageId ?? NewMessageId(), Content = content.Clone() };
        var answer = await AskAsync(new ClientPacket { SendToRoom = send }, _options.RequestTimeout, cancellationToken).ConfigureAwait(false);
        var sent = answer.RoomSent ?? throw Errors.UnexpectedAnswer(answer);
        return new ImRoomAck(sent.RoomSeq, DateTimeOffset.FromUnixTimeMilliseconds(sent.TimeMs));
    }

    /// <summary>Sends a text to a room; see <see cref="SendToRoomAsync"/>.</summary>
    public Task<ImRoomAck> SendTextToRoomAsync(string roomId, string text, CancellationToken cancellationToken = default) =>
        SendToRoomAsync(roomId, new Content { ContentType = "text", Text = text }, cancellationToken: cancellationToken);
}
