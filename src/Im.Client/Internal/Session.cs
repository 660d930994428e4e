using System.Net.Sockets;
using System.Net.WebSockets;
using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>One connection from its sign-in to its end: a read loop, a write loop and a ping loop, which end together.</summary>
internal sealed class Session(SessionHost host, PacketStream stream)
{
    private readonly TimeProvider _time = host.Options.TimeProvider;
    private readonly PacketReceiver _receiver = new(host);
    private readonly TokenRefresher _refresher = new(host);
    private CancellationTokenSource _stop = new();
    private SessionEnd? _end;
    private long _lastReceived;
    private uint _pingDue;
    private int _idleTimeoutMs;
    private string _generation = "";

    /// <summary>When the sign-in succeeded; null = it did not.</summary>
    public long? SignedInAt { get; private set; }

    /// <summary>Runs until the connection is over. Throws only when cancelled.</summary>
    public async Task<SessionEnd> RunAsync(string token, CancellationToken signInDeadline, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _stop = stop;
        SessionEnd end;
        try
        {
            end = await SignInAsync(token, signInDeadline).ConfigureAwait(false)
                ?? await RunSignedInAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsConnectionLoss(e))
        {
            end = Lost(e);
        }

        cancellationToken.ThrowIfCancellationRequested();
        return end;
    }

    internal static bool IsConnectionLoss(Exception e) => e is IOException or SocketException or WebSocketException or ProtocolException
        or OperationCanceledException or ObjectDisposedException;

    private SessionEnd Lost(Exception e) => _end
        ?? (stream.CloseCode is var (code, reason) ? SessionEnd.Closed(code, reason, 0) : SessionEnd.Lost(e.Message, e));

    private async Task<SessionEnd?> SignInAsync(string token, CancellationToken deadline)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(deadline, _stop.Token);
        var requestId = host.Outbox.NextRequestId();
        stream.Append(new ClientPacket { RequestId = requestId, SignIn = MakeSignIn(token) });
        await stream.FlushAsync(limit.Token).ConfigureAwait(false);
        SessionEnd? refused = null;
        while (true)
        {
            ServerPacket? packet;
            try
            {
                packet = await stream.ReadAsync(limit.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (refused is not null && IsConnectionLoss(e))
            {
                return refused;
            }

            switch (packet?.PacketCase)
            {
                case null:
                    return refused ?? (stream.CloseCode is var (code, reason)
                        ? SessionEnd.Closed(code, reason, 0) : SessionEnd.Lost("The server closed the connection before it answered the sign-in."));
                case ServerPacket.PacketOneofCase.Close:
                    var close = SessionEnd.Closed((ImCloseCode)packet.Close.Code, packet.Close.Reason, packet.Close.ReconnectAfterMs);
                    return close with { Error = refused?.Error };
                case ServerPacket.PacketOneofCase.Error:
                    refused = SessionEnd.Refused(packet.Error);
                    if (refused.Final is not null)
                    {
                        return refused;
                    }

                    // The Close packet that follows may say how long to wait.
                    limit.CancelAfter(TimeSpan.FromSeconds(2));
                    break;
                case ServerPacket.PacketOneofCase.SignedIn when packet.RequestId == requestId:
                    return Accept(packet.SignedIn);
                default:
                    throw new ProtocolException($"The server sent {packet.PacketCase} before it answered the sign-in.");
            }
        }
    }

    private SignIn MakeSignIn(string token)
    {
        var received = host.Received;
        var signIn = new SignIn
        {
            Token = token,
            DeviceId = host.Options.DeviceId,
            Device = host.Options.DeviceInfo,
            Generation = received.Generation,
            InboxCursor = received.InboxSeq,
            InstanceId = host.InstanceId,
            Attempt = host.NextAttempt(),
        };
        foreach (var (id, seq) in received.OpenConversations())
        {
            signIn.ConversationCursors.Add(new ConversationCursor { ConversationId = id, ConversationSeq = seq });
        }

        return signIn;
    }

    private SessionEnd? Accept(SignedIn signedIn)
    {
        if (_receiver.Begin(signedIn) is { } refusal)
        {
            return refusal;
        }

        SignedInAt = _time.GetTimestamp();
        _refresher.Begin(signedIn);
        _idleTimeoutMs = signedIn.IdleTimeoutMs;
        _generation = signedIn.Generation;
        host.Outbox.Attach(signedIn.MaxFrameBytes);
        _receiver.BeginRooms();
        host.SignedIn(signedIn);
        return null;
    }

    private async Task<SessionEnd> RunSignedInAsync(CancellationToken leaving)
    {
        _lastReceived = _time.GetTimestamp();
        using var abort = new CancellationTokenSource();
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var onStop = _stop.Token.UnsafeRegister(_ => stopped.TrySetResult(), null);
        var writing = WriteLoopAsync();
        var pinging = PingLoopAsync();
        var refreshing = _refresher.RunAsync(_stop.Token);
        var overrunning = OverrunAsync();
        var reading = ReadLoopAsync(abort.Token);
        await Task.WhenAny(reading, stopped.Task).ConfigureAwait(false);
        var handsOver = _end?.IsHandOver == true;
        host.Outbox.Detach(handsOver);
        await _stop.CancelAsync().ConfigureAwait(false);
        try
        {
            await Task.WhenAll(writing, pinging, refreshing, overrunning).ConfigureAwait(false);
            if (leaving.IsCancellationRequested || handsOver)
            {
                // Before the read is cancelled: that aborts a WebSocket.
                await stream.LeaveAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            await abort.CancelAsync().ConfigureAwait(false);
            await Task.WhenAny(reading).ConfigureAwait(false);
        }

        return await reading.ConfigureAwait(false);
    }

    private async Task<SessionEnd> ReadLoopAsync(CancellationToken abort)
    {
        try
        {
            return await ReadPacketsAsync(abort).ConfigureAwait(false);
        }
        catch (Exception e) when (IsConnectionLoss(e))
        {
            return Lost(e);
        }
    }

    private async Task<SessionEnd> ReadPacketsAsync(CancellationToken abort)
    {
        while (true)
        {
            var packet = await stream.ReadAsync(abort).ConfigureAwait(false);
            Volatile.Write(ref _lastReceived, _time.GetTimestamp());
            if (packet is null)
            {
                return _end ?? (stream.CloseCode is var (code, reason)
                    ? SessionEnd.Closed(code, reason, 0) : SessionEnd.Lost("The server closed the connection."));
            }

            if (packet.PacketCase == ServerPacket.PacketOneofCase.Close)
            {
                return SessionEnd.Closed((ImCloseCode)packet.Close.Code, packet.Close.Reason, packet.Close.ReconnectAfterMs);
            }

            if (packet.RequestId != 0)
            {
                _refresher.OnAnswer(packet);
            }

            await _receiver.ReceiveAsync(packet, _stop.Token).ConfigureAwait(false);

            // Waiting for the application is not the server's silence.
            Volatile.Write(ref _lastReceived, _time.GetTimestamp());
        }
    }

    private async Task WriteLoopAsync()
    {
        try
        {
            while (true)
            {
                var wait = AppendWhatIsDue();
                if (wait is null)
                {
                    await stream.FlushAsync(_stop.Token).ConfigureAwait(false);
                }
                else if (wait == TimeSpan.Zero)
                {
                    await host.Outbox.Ready.WaitAsync(_stop.Token).ConfigureAwait(false);
                }
                else
                {
                    await host.Outbox.Ready.WaitAsync(wait.Value, _time, _stop.Token).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (IsConnectionLoss(e))
        {
            if (!_stop.IsCancellationRequested)
            {
                await EndAfterGraceAsync(SessionEnd.Lost(e.Message, e)).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The Close packet that explains a failed write may still be on its way to the read loop.</summary>
    private async Task EndAfterGraceAsync(SessionEnd end)
    {
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(1), _time, _stop.Token).ConfigureAwait(false);
            Abort(end);
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>Null: something was appended. Else how long to wait; zero = until woken.</summary>
    private TimeSpan? AppendWhatIsDue()
    {
        var any = false;
        if (Interlocked.Exchange(ref _pingDue, 0) is var ping and not 0)
        {
            stream.Append(new ClientPacket { RequestId = ping, Ping = new Ping() });
            any = true;
        }

        if (_refresher.TryTake(out var refresh))
        {
            stream.Append(refresh);
            any = true;
        }

        if (host.TryTakeAck(_generation, out var ack))
        {
            stream.Append(new ClientPacket { DeviceAck = ack });
            any = true;
        }

        var pauseLeft = TimeSpan.Zero;
        while (!stream.IsFull && host.Outbox.TryTake(out var packet, out pauseLeft))
        {
            stream.Append(packet);
            any = true;
        }

        return any ? null : pauseLeft;
    }

    private async Task PingLoopAsync()
    {
        var interval = host.Options.PingInterval;
        var timeout = host.Options.PingTimeout;
        if (_idleTimeoutMs > 0)
        {
            var third = TimeSpan.FromMilliseconds(Math.Max(1, _idleTimeoutMs / 3.0));
            interval = interval < third ? interval : third;
            timeout = timeout < third ? timeout : third;
        }

        try
        {
            while (true)
            {
                await Task.Delay(interval, _time, _stop.Token).ConfigureAwait(false);
                var pinged = _time.GetTimestamp();
                Volatile.Write(ref _pingDue, host.Outbox.NextRequestId());
                host.Outbox.Ready.Set();
                await Task.Delay(timeout, _time, _stop.Token).ConfigureAwait(false);
                if (!host.Events.IsBlocked && Volatile.Read(ref _lastReceived) < pinged)
                {
                    Abort(SessionEnd.Lost($"The server did not answer a ping within {timeout.TotalSeconds:0.###} s."));
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>After an overrun, when the application has taken all that was buffered and has its answers: makes room for the next connection.</summary>
    private async Task OverrunAsync()
    {
        try
        {
            await _receiver.Overrun.WaitAsync(_stop.Token).ConfigureAwait(false);
            Log.Overrun(host.Logger);
            while (!host.Events.IsEmpty)
            {
                await host.Events.Drained.WaitAsync(_stop.Token).ConfigureAwait(false);
            }

            // What is written without an answer would have to be written again, and a non-persistent message would fail.
            await Task.WhenAny(host.Outbox.HoldAsync(), Task.Delay(host.Options.PingTimeout, _time, _stop.Token)).ConfigureAwait(false);
            Abort(SessionEnd.Overrun);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void Abort(SessionEnd end)
    {
        Interlocked.CompareExchange(ref _end, end, null);
        _stop.Cancel();
    }
}
