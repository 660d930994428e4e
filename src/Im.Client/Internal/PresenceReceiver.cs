using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>What presence does on a connection: subscribe again at its begin, take answers. Runs on the read loop.</summary>
internal sealed class PresenceReceiver(SessionHost host)
{
    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(5);

    private int _refusals;

    /// <summary>The connection is signed in.</summary>
    public void Begin()
    {
        foreach (var request in host.Presence.Resubscriptions())
        {
            Subscribe(request);
        }
    }

    /// <summary>Takes an answer before whoever waits for it gets it; a result is for the application.</summary>
    public ImEvent? TakeAnswer(ServerPacket packet, CancellationToken cancellationToken)
    {
        if (host.Outbox.Find(packet.RequestId) is not { Packet.SubscribePresence: { } request } pending)
        {
            return null;
        }

        if (packet.PresenceSubscribed is { } answer)
        {
            if (!pending.IsOwn)
            {
                host.Presence.Subscribed(request, answer);
                return null;
            }

            return answer.Users.Count > 0 ? new ImPresenceEvent(answer.Users) : null;
        }

        if (packet.Error is not { } error || !pending.IsOwn)
        {
            return null;
        }

        if (Errors.IsTransient(error.Code))
        {
            _ = SubscribeLaterAsync(request, cancellationToken);
            return null;
        }

        return host.Presence.Refused(request)
            ? new ImPresenceEndedEvent(request.ConversationId.Length > 0 ? request.ConversationId : null, Errors.Refused(error))
            : null;
    }

    private async Task SubscribeLaterAsync(SubscribePresence request, CancellationToken cancellationToken)
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

        if (host.Presence.Resubscription(request) is { } left)
        {
            Subscribe(left);
        }
    }

    private void Subscribe(SubscribePresence request)
    {
        var pending = new Pending(new ClientPacket { SubscribePresence = request }) { IsOwn = true };
        _ = pending.Answer.ContinueWith(
            static answer => answer.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        host.Outbox.Add(pending);
    }
}
