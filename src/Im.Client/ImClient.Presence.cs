using Im.Client.Internal;
using Im.Protocol;

namespace Im.Client;

/// <content>Presence and signals: who is online, typing and the like. At most once; the newest state is what counts.</content>
public sealed partial class ImClient
{
    /// <summary>Subscribes to the presence of users; changes come as <see cref="ImPresenceEvent"/>.</summary>
    /// <remarks>
    /// Returns the present state of those who may be seen, and adds to what is subscribed already. After a reconnect the client subscribes again by itself, and
    /// hands over the states as they are then. Where none of the users may be seen: <see cref="ImClientException"/> with
    /// <see cref="ImErrorCode.PresenceForbidden"/>.
    /// </remarks>
    public async Task<IReadOnlyList<UserPresence>> SubscribePresenceAsync(IEnumerable<string> userIds, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(userIds);
        return (await SubscribeAsync(new SubscribePresence { UserIds = { userIds } }, cancellationToken).ConfigureAwait(false)).Users;
    }

    /// <summary>
    /// Subscribes to the presence of a conversation's members; see <see cref="SubscribePresenceAsync"/>. Of a large conversation the answer is partial: some of
    /// those who are online.
    /// </summary>
    public Task<PresenceSubscribed> SubscribeConversationPresenceAsync(string conversationId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(conversationId);
        return SubscribeAsync(new SubscribePresence { ConversationId = conversationId }, cancellationToken);
    }

    /// <summary>Ends the subscription to users; who is also seen in a conversation that is subscribed to still comes.</summary>
    public Task UnsubscribePresenceAsync(IEnumerable<string> userIds, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(userIds);
        var request = new UnsubscribePresence { UserIds = { userIds } };
        return request.UserIds.Count == 0 ? Task.CompletedTask : UnsubscribeAsync(request, cancellationToken);
    }

    /// <summary>Ends the subscription to a conversation's members.</summary>
    public Task UnsubscribeConversationPresenceAsync(string conversationId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(conversationId);
        return UnsubscribeAsync(new UnsubscribePresence { ConversationId = conversationId }, cancellationToken);
    }

    /// <summary>Ends all subscriptions to presence.</summary>
    public Task UnsubscribeAllPresenceAsync(CancellationToken cancellationToken = default) =>
        UnsubscribeAsync(new UnsubscribePresence(), cancellationToken);

    /// <summary>
    /// Sends a signal, for example <c>typing</c>, to who is online in a conversation; it arrives as <see cref="ImSignalEvent"/>. At most once: without a
    /// connection it fails. False: it was too much, and the server dropped it.
    /// </summary>
    /// <param name="target">A user, with whom a direct conversation has begun, or a conversation.</param>
    /// <param name="type">What it is, 1–64 bytes.</param>
    /// <param name="data">The application's own, at most 1 KiB.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    public Task<bool> SendSignalAsync(ImTarget target, string type, string data = "", CancellationToken cancellationToken = default)
    {
        var signal = new SendSignal { Type = type, Data = data };
        if (target.UserId is { } userId)
        {
            signal.UserId = userId;
        }
        else
        {
            signal.ConversationId = target.ConversationId
                ?? throw new ArgumentException("The signal has no target; use ImTarget.User(id) or ImTarget.Conversation(id).", nameof(target));
        }

        return SendSignalAsync(signal, cancellationToken);
    }

    /// <summary>Sends a signal to the subscribers of a room that this client is in; see <see cref="SendSignalAsync(ImTarget, string, string, CancellationToken)"/>.</summary>
    public Task<bool> SendSignalToRoomAsync(string roomId, string type, string data = "", CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(roomId);
        return SendSignalAsync(new SendSignal { RoomId = roomId, Type = type, Data = data }, cancellationToken);
    }

    private async Task<bool> SendSignalAsync(SendSignal signal, CancellationToken cancellationToken)
    {
        var answer = await AskAsync(new ClientPacket { SendSignal = signal }, _options.RequestTimeout, cancellationToken).ConfigureAwait(false);
        return (answer.SignalSent ?? throw Errors.UnexpectedAnswer(answer)).IsRelayed;
    }

    private async Task<PresenceSubscribed> SubscribeAsync(SubscribePresence request, CancellationToken cancellationToken)
    {
        var answer = await AskAsync(new ClientPacket { SubscribePresence = request }, _options.RequestTimeout, cancellationToken).ConfigureAwait(false);
        return answer.PresenceSubscribed ?? throw Errors.UnexpectedAnswer(answer);
    }

    private async Task UnsubscribeAsync(UnsubscribePresence request, CancellationToken cancellationToken)
    {
        _host.Presence.Remove(request.UserIds, request.ConversationId);
        var answer = await AskAsync(new ClientPacket { UnsubscribePresence = request }, _options.RequestTimeout, cancellationToken).ConfigureAwait(false);
        _ = answer.PresenceUnsubscribed ?? throw Errors.UnexpectedAnswer(answer);
    }
}
