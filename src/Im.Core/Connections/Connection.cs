using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using Im.Cluster;
using Im.Diagnostics;
using Im.Presence;
using Im.Protocol;
using Im.Storage;
using Microsoft.Extensions.Logging;

namespace Im.Connections;

/// <summary>The core's end of one connection: reads packets, answers them one after the other, and ends with one recorded reason.</summary>
/// <remarks>
/// Requests of a connection are handled in order; a send's handling ends when it is handed to the committer, so many wait for their acks at
/// once. <c>_pending</c> counts both, and above its limit, or with replies over the queue's limit, the transport is told to stop reading.
/// </remarks>
internal sealed partial class Connection : IConnectionHandler
{
    private readonly TransportConnection _transport;
    private readonly ConnectionRegistry _registry;
    private readonly Requests _requests;
    private readonly ImServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ImMetrics _metrics;
    private readonly ClusterState _cluster;
    private readonly ILogger _logger;
    private readonly StoreFailureLog _storeFailures;
    private readonly RequestQueue _queue;
    private readonly long _openedAt;

    private Session? _session;
    private long _lastReceivedAt;
    private long _overLimitSince;
    private long _writtenAtLastCheck;
    private TaskCompletionSource? _roomWaiter;
    private long _expiresAtMs;
    private int _pending;
    private int _isPaused;
    private int _closeCode;
    private int _isGone;
    private bool _hasSignIn;

    public Connection(long number, TransportConnection transport, ConnectionRegistry registry, ConnectionServices services)
    {
        Number = number;
        Id = number.ToString(CultureInfo.InvariantCulture);
        _transport = transport;
        _registry = registry;
        _requests = services.Requests;
        _options = services.Options;
        _time = services.Time;
        _metrics = services.Metrics;
        _cluster = services.Cluster;
        _logger = services.Logger;
        _storeFailures = services.StoreFailures;
        _openedAt = _lastReceivedAt = _time.GetTimestamp();
        Outbox = new Outbox(transport, _options.MaxQueueBytes) { RoomAgain = OnRoomAgain };
        _queue = new RequestQueue(Outbox, HandleAsync);
        SendRate = new RateLimiter(_options.MaxSendsPerSecond, _time);
    }

    /// <summary>Rises with each connection that the node accepts.</summary>
    public long Number { get; }

    public string Id { get; }

    public Outbox Outbox { get; }

    public TransportConnection Transport => _transport;

    /// <summary>The session, once the sign-in has been accepted.</summary>
    public Session? Session => Volatile.Read(ref _session);

    /// <summary>How many messages the session may send now. Used by the one request that is being handled.</summary>
    public RateLimiter SendRate { get; }

    /// <summary>Which signals the session may send now; null = it has sent none. Used by the one request that is being handled.</summary>
    public SignalThrottle? Signals { get; set; }

    /// <summary>When the token expires, unix milliseconds; 0 = never.</summary>
    public long ExpiresAtMs => Volatile.Read(ref _expiresAtMs);

    public bool IsClosed => Volatile.Read(ref _closeCode) != 0;

    public int MaxPacketBytes => Session is null ? _options.MaxFrameBytesBeforeSignIn : _options.MaxFrameBytes;

    public bool Receive(in ReadOnlySequence<byte> packet)
    {
        if (IsClosed)
        {
            return false;
        }

        Volatile.Write(ref _lastReceivedAt, _time.GetTimestamp());
        if (!PacketCodec.TryReadClientPacket(packet, _transport.Codec, out var request, out var problem))
        {
            Log.BadPacket(_logger, Id, problem);
            _metrics.PacketReceived("bad");
            Fail(0, ImErrorCode.BadPacket, problem, ImCloseCode.BadPacket);
            return false;
        }

        _metrics.PacketReceived(PacketKinds.GetName(request.PacketCase));
        if (!_hasSignIn)
        {
            if (request.PacketCase != ClientPacket.PacketOneofCase.SignIn)
            {
                Fail(request.RequestId, ImErrorCode.NotSignedIn, "Sign in first: the first packet of a connection is signIn.", ImCloseCode.NotSignedIn);
                return false;
            }

            _hasSignIn = true;
        }

        if (request.PacketCase == ClientPacket.PacketOneofCase.Ping && Session is not null && !_cluster.IsRejoining)
        {
            // Answered at once: whoever pings wants to know whether the server lives, not whether it has work.
            ReplyPong(request.RequestId);
        }
        else
        {
            BeginPending();
            _queue.Submit(request);
        }

        return !PauseIfNeeded();
    }

    public void ReceiveFailed(ImCloseCode code, string reason)
    {
        Log.BadPacket(_logger, Id, reason);
        _metrics.PacketReceived("bad");
        Fail(0, code == ImCloseCode.FrameTooLarge ? ImErrorCode.FrameTooLarge : ImErrorCode.BadPacket, reason, code);
    }

    public bool WriteTo(IPacketWriter writer) => Outbox.WriteTo(writer);

    public void Disconnected(Exception? error)
    {
        var isFirst = Interlocked.CompareExchange(ref _closeCode, (int)ImCloseCode.Normal, 0) == 0;
        if (Interlocked.Exchange(ref _isGone, 1) != 0)
        {
            return;
        }

        EndSession();
        Outbox.Discard();
        _registry.Remove(this);
        var code = (ImCloseCode)_closeCode;
        _metrics.ConnectionClosed(_transport.Transport, code);
        if (isFirst)
        {
            Log.ConnectionClosed(_logger, Id, Session?.UserId ?? "", code, "The client left.", error);
        }
    }

    /// <summary>Answers a request.</summary>
    public void Reply(uint requestId, ServerPacket packet)
    {
        packet.RequestId = requestId;
        Outbox.Enqueue(packet);
    }

    /// <summary>Answers a ping.</summary>
    public void ReplyPong(uint requestId) =>
        Reply(requestId, new ServerPacket { Pong = new Pong { ServerTimeMs = _time.GetUtcNow().ToUnixTimeMilliseconds() } });

    /// <summary>Answers a request with an error.</summary>
    public void ReplyError(uint requestId, ImErrorCode code, string message)
    {
        _metrics.Error(code);
        Reply(requestId, new ServerPacket { Error = new Error { Code = (int)code, Reason = ImErrorCodes.GetName(code), Message = message } });
    }

    /// <summary>Answers a request with an error after which the connection makes no sense any more.</summary>
    public void Fail(uint requestId, ImErrorCode code, string message, ImCloseCode closeCode)
    {
        ReplyError(requestId, code, message);
        Close(closeCode, message);
    }

    /// <summary>Ends the connection. The first reason counts; queued replies and a Close packet are still written.</summary>
    public void Close(ImCloseCode code, string reason, TimeSpan reconnectAfter = default)
    {
        if (Interlocked.CompareExchange(ref _closeCode, (int)code, 0) != 0)
        {
            return;
        }

        Log.ConnectionClosed(_logger, Id, Session?.UserId ?? "", code, reason, null);
        EndSession();
        Outbox.Close(new ServerPacket
        {
            Close = new Close { Code = (int)code, Reason = reason, ReconnectAfterMs = (int)reconnectAfter.TotalMilliseconds },
        });
        _transport.RequestWrite();
        _transport.Close(code, reason);
    }

    /// <summary>The sign-in was accepted. False: the connection is closed already.</summary>
    public bool TryAttach(Session session, long expiresAtMs)
    {
        Volatile.Write(ref _expiresAtMs, expiresAtMs);
        Volatile.Write(ref _session, session);
        if (IsClosed)
        {
            EndSession();
            return false;
        }

        return true;
    }

    /// <summary>The token was refreshed.</summary>
    public void Extend(long expiresAtMs) => Volatile.Write(ref _expiresAtMs, expiresAtMs);

    /// <summary>A send waits for its commit; <see cref="EndPending"/> follows when it is answered.</summary>
    public void BeginPending() => Interlocked.Increment(ref _pending);

    public void EndPending()
    {
        Interlocked.Decrement(ref _pending);
        ResumeIfPossible();
    }

    /// <summary>Ends when the queue has room for a page, or when the connection is closed. For the one request that is being handled.</summary>
    public async ValueTask WaitForRoomAsync()
    {
        while (!IsClosed)
        {
            // Published before the look at the queue, so that no room is missed.
            var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref _roomWaiter, waiter);
            if (!Outbox.WaitForRoom() || IsClosed)
            {
                return;
            }

            await waiter.Task;
        }
    }

    /// <summary>The heartbeat's look at this connection.</summary>
    public void Check()
    {
        var now = _time.GetTimestamp();
        if (Session is null)
        {
            if (_time.GetElapsedTime(_openedAt, now) > _options.SignInTimeout)
            {
                Close(ImCloseCode.SignInTimeout, $"No sign-in within {_options.SignInTimeout.TotalSeconds:0.###} seconds.");
            }

            return;
        }

        if (ExpiresAtMs != 0 && ExpiresAtMs <= _time.GetUtcNow().ToUnixTimeMilliseconds())
        {
            Close(ImCloseCode.TokenExpired, "The token expired; sign in with a new one.");
        }
        else if (Volatile.Read(ref _isPaused) == 0
            && _time.GetElapsedTime(Volatile.Read(ref _lastReceivedAt), now) > _options.IdleTimeout)
        {
            Close(ImCloseCode.Idle, $"Nothing was received for {_options.IdleTimeout.TotalSeconds:0.###} seconds.");
        }
        else if (!Outbox.IsOverLimit)
        {
            _overLimitSince = 0;
        }
        else if (_overLimitSince == 0 || Outbox.WrittenBytes != _writtenAtLastCheck)
        {
            // A client that reads slowly but reads is not stuck.
            _overLimitSince = now;
            _writtenAtLastCheck = Outbox.WrittenBytes;
        }
        else if (_time.GetElapsedTime(_overLimitSince, now) > _options.SlowTimeout)
        {
            Close(ImCloseCode.Slow, "The replies to your requests are not read.");
        }
    }

    private async ValueTask HandleAsync(ClientPacket request)
    {
        try
        {
            if (!IsClosed)
            {
                await _requests.HandleAsync(this, request);
            }
        }
        catch (ImException exception)
        {
            ReplyError(request.RequestId, exception.Code, exception.Message);
        }
        catch (ImStorageException exception)
        {
            _storeFailures.Failed(request.RequestId, request.PacketCase, Id, exception);
            ReplyError(request.RequestId, ImErrorCode.StorageUnavailable, "The store cannot be read now; try again.");
        }
        catch (OperationCanceledException) when (_registry.IsStopping)
        {
            ReplyError(request.RequestId, ImErrorCode.ShuttingDown, "The server is shutting down; reconnect and try again.");
        }
        catch (Exception exception)
        {
            Log.RequestFailed(_logger, request.RequestId, request.PacketCase, Id, exception);
            ReplyError(request.RequestId, ImErrorCode.Internal, $"The server failed on request {request.RequestId} of connection {Id}; its log has the details.");
        }
        finally
        {
            EndPending();
        }
    }

    private void EndSession()
    {
        Interlocked.Exchange(ref _roomWaiter, null)?.TrySetResult();
        if (Session is { } session)
        {
            _registry.End(session);
        }
    }

    private void OnRoomAgain()
    {
        Interlocked.Exchange(ref _roomWaiter, null)?.TrySetResult();
        _queue.GoOn();
        ResumeIfPossible();
        Session?.ScheduleIfBehind();
    }

    // Behind a sign-in that is being checked one packet may wait: whoever is not known yet costs no more memory than that.
    private int MaxPending => Session is null ? Math.Min(2, _options.MaxInFlightSends) : _options.MaxInFlightSends;

    private bool PauseIfNeeded()
    {
        if (Volatile.Read(ref _pending) < MaxPending && !Outbox.IsOverLimit)
        {
            return false;
        }

        // The flag first, then another look: room that comes between the two is seen by one of the sides.
        Volatile.Write(ref _isPaused, 1);
        ResumeIfPossible();
        return true;
    }

    private void ResumeIfPossible()
    {
        if (Volatile.Read(ref _isPaused) == 0
            || Volatile.Read(ref _pending) > MaxPending / 2
            || (Outbox.IsOverLimit && Outbox.WaitForRoom()))
        {
            return;
        }

        if (Interlocked.Exchange(ref _isPaused, 0) == 1)
        {
            Volatile.Write(ref _lastReceivedAt, _time.GetTimestamp());
            _transport.ResumeReading();
        }
    }
}
