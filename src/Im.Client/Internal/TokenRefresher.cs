using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>Gives one connection's server a newer token before the present one expires.</summary>
/// <remarks>
/// The server's clock counts: the times in its packets are compared with each other and with the time since the sign-in. What fails is tried
/// again while the token lives; after that the server closes the connection and the next one asks for a token anyway. The read loop and the
/// write loop call in; fields that they share are volatile or exchanged.
/// </remarks>
internal sealed class TokenRefresher(SessionHost host)
{
    private static readonly TimeSpan MinWait = TimeSpan.FromSeconds(1);

    /// <summary>Timers cannot wait for much longer than a month.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromDays(1);

    private readonly TimeProvider _time = host.Options.TimeProvider;
    private readonly Signal _changed = new();
    private ClientPacket? _due;
    private uint _requestId;
    private TaskCompletionSource<ServerPacket>? _answer;
    private long _expiresAtMs;
    private long _serverTimeMs;
    private long _since;

    public void Begin(SignedIn signedIn)
    {
        _since = _time.GetTimestamp();
        _serverTimeMs = signedIn.ServerTimeMs;
        _expiresAtMs = signedIn.TokenExpiresAtMs;
    }

    /// <summary>Runs until cancelled; never throws.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (host.Options.TokenProvider is null)
        {
            return;
        }

        try
        {
            var part = 0.8;
            while (true)
            {
                await WaitForPartAsync(part, cancellationToken).ConfigureAwait(false);
                part = await TryRefreshAsync(cancellationToken).ConfigureAwait(false) ? 0.8 : 0.5;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>The packet to write now, if there is one.</summary>
    public bool TryTake(out ClientPacket packet) => (packet = Interlocked.Exchange(ref _due, null)!) is not null;

    /// <summary>Sees all answers: also a refresh of the application's moves the expiry.</summary>
    public void OnAnswer(ServerPacket packet)
    {
        if (packet.PacketCase == ServerPacket.PacketOneofCase.TokenRefreshed)
        {
            Volatile.Write(ref _expiresAtMs, packet.TokenRefreshed.TokenExpiresAtMs);
            _changed.Set();
        }

        if (packet.RequestId == Volatile.Read(ref _requestId))
        {
            Volatile.Read(ref _answer)?.TrySetResult(packet);
        }
    }

    /// <summary>Waits until that part of the token's remaining life is over; from the beginning, and for 80 %, if there is a newer token meanwhile.</summary>
    private async Task WaitForPartAsync(double part, CancellationToken cancellationToken)
    {
        while (true)
        {
            var expires = Volatile.Read(ref _expiresAtMs);
            var life = TimeSpan.FromMilliseconds(expires - _serverTimeMs);
            var left = life - _time.GetElapsedTime(_since);
            if (expires == 0 || left <= TimeSpan.Zero)
            {
                // Never, or too late: the server closes the connection. The application may still refresh by itself.
                await _changed.WaitAsync(cancellationToken).ConfigureAwait(false);
                part = 0.8;
                continue;
            }

            var wait = left * part;
            var due = life - left + (wait > MinWait ? wait : MinWait);
            while (Volatile.Read(ref _expiresAtMs) == expires)
            {
                var rest = due - _time.GetElapsedTime(_since);
                if (rest <= TimeSpan.Zero)
                {
                    return;
                }

                await _changed.WaitAsync(rest < MaxWait ? rest : MaxWait, _time, cancellationToken).ConfigureAwait(false);
            }

            part = 0.8;
        }
    }

    private async Task<bool> TryRefreshAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(host.Options.RequestTimeout, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var token = await host.Options.TokenProvider!(linked.Token).AsTask().WaitAsync(linked.Token).ConfigureAwait(false) ?? "";
            var answer = new TaskCompletionSource<ServerPacket>(TaskCreationOptions.RunContinuationsAsynchronously);
            var requestId = host.Outbox.NextRequestId();
            Volatile.Write(ref _answer, answer);
            Volatile.Write(ref _requestId, requestId);
            Volatile.Write(ref _due, new ClientPacket { RequestId = requestId, RefreshToken = new RefreshToken { Token = token } });
            host.Outbox.Ready.Set();
            var packet = await answer.Task.WaitAsync(linked.Token).ConfigureAwait(false);
            return packet.PacketCase == ServerPacket.PacketOneofCase.Error
                ? throw Errors.Refused(packet.Error)
                : packet.PacketCase == ServerPacket.PacketOneofCase.TokenRefreshed;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // The provider is the application's: whatever it throws, the connection goes on for as long as the token lives. Also while the
            // connection ends: a refusal that met its end would end the client.
            Log.RefreshFailed(host.Logger, e);
            return false;
        }
    }
}
