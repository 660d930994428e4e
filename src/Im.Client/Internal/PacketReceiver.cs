using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>What one connection's packets do: answers go to the outbox, entries to the event stream. Runs on the read loop.</summary>
/// <remarks>
/// A full event stream stops the reading, and with it the answers. Where the application waits for one, perhaps before it takes the next event,
/// the connection is given up for pushes (<see cref="Overrun"/>): they are dropped with no cursor moved, and only answers count. The next
/// connection begins at the received cursors, so the server pushes again what was dropped here.
/// </remarks>
internal sealed class PacketReceiver(SessionHost host)
{
    /// <summary>
    /// How long the application may wait for an answer before a full buffer becomes an overrun: while it takes events, room comes by itself, and
    /// with it the answer.
    /// </summary>
    private static readonly TimeSpan OverrunAfter = TimeSpan.FromMilliseconds(50);

    private readonly CursorSet _received = host.Received;
    private readonly RoomReceiver _rooms = new(host);
    private readonly PresenceReceiver _presence = new(host);

    /// <summary>The pages of a snapshot so far; null when none is expected.</summary>
    private List<ConversationState>? _snapshot;
    private string _generation = "";

    private bool _isOverrun;
    private long _beganAt;

    /// <summary>Set when pushes are dropped from here on.</summary>
    public Signal Overrun { get; } = new();

    /// <summary>Takes the answer to the sign-in; a result says that the connection is of no use.</summary>
    public SessionEnd? Begin(SignedIn signedIn)
    {
        if (_received.UserId.Length > 0 && _received.UserId != signedIn.UserId)
        {
            if (host.UserIsConfirmed)
            {
                var error = new ImClientException(
                    ImClientFailure.Protocol, "The token belongs to another user than before. A client serves one user: make a new ImClient.");
                return new SessionEnd(error.Message, error);
            }

            // An account switch on this device: the old user's cursors must not be used in the new user's inbox.
            Log.CursorsOfAnotherUser(host.Logger);
            _received.Load(ImCursors.None);
            host.Events.Load(ImCursors.None);
            return SessionEnd.Lost("The saved cursors belong to another user.");
        }

        if (!signedIn.Reset && _received.Generation.Length > 0 && _received.Generation != signedIn.Generation)
        {
            throw new ProtocolException("The server has another store generation and did not reset the device.");
        }

        _beganAt = host.Options.TimeProvider.GetTimestamp();
        host.UserIsConfirmed = true;
        _received.UserId = signedIn.UserId;
        _generation = signedIn.Generation;
        if (signedIn.Reset)
        {
            _snapshot = [];
        }
        else
        {
            _received.Generation = signedIn.Generation;
        }

        host.Events.SetIdentity(signedIn.UserId, signedIn.Reset ? "" : signedIn.Generation);
        if (!signedIn.Reset && host.Events.RepeatAck())
        {
            host.RequestAck();
        }

        return null;
    }

    /// <summary>The connection is signed in, and the outbox writes to it.</summary>
    public void BeginRooms()
    {
        _rooms.Begin();
        _presence.Begin();
    }

    public async ValueTask ReceiveAsync(ServerPacket packet, CancellationToken cancellationToken)
    {
        switch (packet.PacketCase)
        {
            case ServerPacket.PacketOneofCase.Push:
                await PushAsync(packet.Push, cancellationToken).ConfigureAwait(false);
                break;
            case ServerPacket.PacketOneofCase.Snapshot:
                TakeSnapshot(packet.Snapshot);
                break;
            case ServerPacket.PacketOneofCase.Signal:
                // At most once: where an answer is waited for behind a full buffer, it is dropped.
                if (!_isOverrun)
                {
                    await TryAddAsync(new ImSignalEvent(packet.Signal), null, cancellationToken).ConfigureAwait(false);
                }

                break;
            case ServerPacket.PacketOneofCase.RoomPush:
                // What is left out here comes again with the resubscription, as long as the room keeps it.
                if (!_isOverrun)
                {
                    await _rooms.PushAsync(packet.RoomPush, item => AddOrOverrunAsync(item, null, cancellationToken)).ConfigureAwait(false);
                }

                break;
            case ServerPacket.PacketOneofCase.PresenceChanged:
                // What is left out here comes again with the resubscription.
                if (!_isOverrun)
                {
                    await AddOrOverrunAsync(new ImPresenceEvent(packet.PresenceChanged.Users), null, cancellationToken).ConfigureAwait(false);
                }

                break;
            case ServerPacket.PacketOneofCase.SignedIn:
                throw new ProtocolException("The server answered the sign-in twice.");
            case ServerPacket.PacketOneofCase.Error when packet.RequestId == 0:
                Log.UnaskedError(host.Logger, packet.Error.Code, packet.Error.Reason, packet.Error.Message);
                break;
            default:
                // An unknown kind of packet comes from a newer server and is ignored, unless somebody waits for it.
                if ((_rooms.TakeAnswer(packet, cancellationToken) ?? _presence.TakeAnswer(packet, cancellationToken)) is { } told)
                {
                    await AddOrOverrunAsync(told, null, cancellationToken).ConfigureAwait(false);
                }

                host.Outbox.Answer(packet);
                break;
        }
    }

    private async ValueTask PushAsync(Push push, CancellationToken cancellationToken)
    {
        var isInbox = push.FirstInboxSeq > 0;
        if (isInbox == push.FirstConversationSeq > 0 || (!isInbox && push.ConversationId.Length == 0))
        {
            throw new ProtocolException("A push names no timeline, or two.");
        }

        if (_isOverrun)
        {
            // Read on only as long as somebody waits: all of this comes again.
            await host.Events.WaitWhileAsync(() => !host.Outbox.HasUnanswered, cancellationToken).ConfigureAwait(false);
            return;
        }

        if (_snapshot is not null)
        {
            throw new ProtocolException("The server pushed entries before the snapshot was complete.");
        }

        if (push.SkippedThrough > 0)
        {
            await SkipAsync(push, cancellationToken).ConfigureAwait(false);
            return;
        }

        var seq = isInbox ? push.FirstInboxSeq : push.FirstConversationSeq;
        foreach (var entry in push.Entries)
        {
            switch (isInbox ? _received.PlaceOfInbox(seq) : _received.PlaceOfConversation(push.ConversationId, seq))
            {
                case Place.Gap:
                    throw new ProtocolException(isInbox
                        ? $"The server pushed inbox seq {seq}; the last one received is {_received.InboxSeq}."
                        : $"The server pushed seq {seq} of {push.ConversationId}, which does not follow the last one received.");
                case Place.Next:
                    // First the buffer, then the cursor: a wait that is cancelled leaves both as they were.
                    var item = new ImEntryEvent(isInbox ? null : push.ConversationId, seq, entry);
                    var change = isInbox ? TimelineChange.Of(entry, _received.UserId) : null;
                    if (!await AddOrOverrunAsync(item, change, cancellationToken).ConfigureAwait(false))
                    {
                        return;
                    }

                    _received.Apply(item, change);
                    break;
            }

            seq++;
        }
    }

    private ValueTask<bool> TryAddAsync(ImEvent item, TimelineChange? change, CancellationToken cancellationToken) =>
        host.Events.TryWriteAsync(
            new QueuedEvent(item, change, host.Events.Epoch),
            () => OverrunAfter - host.Outbox.LongestWait(Math.Min(_beganAt, host.Events.LastTaken)),
            cancellationToken);

    /// <summary>False: there was no room, and pushes are dropped from here on.</summary>
    private async ValueTask<bool> AddOrOverrunAsync(ImEvent item, TimelineChange? change, CancellationToken cancellationToken)
    {
        if (await TryAddAsync(item, change, cancellationToken).ConfigureAwait(false))
        {
            return true;
        }

        _isOverrun = true;
        Overrun.Set();
        return false;
    }

    private async ValueTask SkipAsync(Push push, CancellationToken cancellationToken)
    {
        if (push.FirstInboxSeq > 0 || push.Entries.Count > 0 || push.SkippedThrough < push.FirstConversationSeq)
        {
            throw new ProtocolException("A push that skips has entries, ends before it begins, or is of the inbox.");
        }

        var skip = new SkipEvent(push.ConversationId, push.FirstConversationSeq, push.SkippedThrough);
        switch (_received.PlaceOfSkip(skip))
        {
            case Place.Gap:
                throw new ProtocolException($"The server skipped from seq {skip.First} of {skip.ConversationId}, which does not follow the last one received.");
            case Place.Next:
                if (await AddOrOverrunAsync(skip, null, cancellationToken).ConfigureAwait(false))
                {
                    _received.Apply(skip);
                }

                break;
        }
    }

    private void TakeSnapshot(Snapshot page)
    {
        if (_snapshot is null)
        {
            throw new ProtocolException("The server sent a snapshot without a reset.");
        }

        _snapshot.AddRange(page.Conversations);
        if (page.HasMore)
        {
            return;
        }

        var reset = new ImResetEvent(_generation, page.InboxSeq, _snapshot);
        _snapshot = null;
        _received.Reset(reset);
        host.Events.Reset(reset);
    }
}
