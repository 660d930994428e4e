using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>What rooms do on a connection: subscribe again at its begin, take pushes and answers. Runs on the read loop.</summary>
internal sealed class RoomReceiver(SessionHost host)
{
    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(5);

    private int _refusals;

    /// <summary>The connection is signed in.</summary>
    public void Begin()
    {
        foreach (var request in host.Rooms.Resubscriptions())
        {
            Subscribe(request);
        }
    }

    /// <summary>Takes an answer before whoever waits for it gets it; a result is for the application.</summary>
    public ImEvent? TakeAnswer(ServerPacket packet, CancellationToken cancellationToken)
    {
        if (host.Outbox.Find(packet.RequestId) is not { Packet.SubscribeRoom: { } request } pending)
        {
            if (packet.RoomLeft is { } left && host.Rooms.Remove(left.RoomId) && packet.RequestId == 0)
            {
                return new ImRoomLeftEvent(left.RoomId, null);
            }

            return null;
        }

        if (packet.RoomSubscribed is { } answer)
        {
            host.Rooms.Subscribed(request, answer, pending.IsOwn);
        }
        else if (packet.Error is { } error && pending.IsOwn)
        {
            if (Errors.IsTransient(error.Code))
            {
                _ = SubscribeLaterAsync(request.RoomId, cancellationToken);
            }
            else if (host.Rooms.Remove(request.RoomId))
            {
                return new ImRoomLeftEvent(request.RoomId, Errors.Refused(error));
            }
        }

        return null;
    }

    /// <summary>Hands on what is new of a push, with the gaps before it.</summary>
    /// <param name="push">The push.</param>
    /// <param name="add">Puts an event into the buffer; false: there is no room, and what is left comes again over the next connection.</param>
    public async ValueTask PushAsync(RoomPush push, Func<ImEvent, ValueTask<bool>> add)
    {
        if (push.FirstRoomSeq < 1 || push.RoomId.Length == 0)
        {
            throw new ProtocolException("A room push names no room, or no seq.");
        }

        var seq = push.FirstRoomSeq;
        foreach (var message in push.Messages)
        {
            var (isNew, gap) = host.Rooms.Place(push, seq);
            if (gap is not null)
            {
                if (!await add(gap).ConfigureAwait(false))
                {
                    return;
                }

                host.Rooms.Advance(push, seq - 1);
            }

            if (isNew)
            {
                if (!await add(new ImRoomMessageEvent(push.RoomId, push.Priority, seq, message)).ConfigureAwait(false))
                {
                    return;
                }

                host.Rooms.Advance(push, seq);
            }

            seq++;
        }
    }

    private async Task SubscribeLaterAsync(string roomId, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(Backoff.Exponential(RetryMin, RetryMax, _refusals++), host.Options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The next connection subscribes again.
            return;
        }

        if (host.Rooms.Resubscription(roomId) is { } request)
        {
            Subscribe(request);
        }
    }

    private void Subscribe(SubscribeRoom request)
    {
        var pending = new Pending(new ClientPacket { SubscribeRoom = request }) { IsOwn = true };
        _ = pending.Answer.ContinueWith(
            static answer => answer.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        host.Outbox.Add(pending);
    }
}
