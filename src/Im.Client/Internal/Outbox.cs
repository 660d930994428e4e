using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>Sends and requests that have no answer yet, in the order of their calls; the write loop pulls from it.</summary>
/// <remarks>
/// At most <c>maxInFlight</c> are active; the others wait in <c>_waiting</c>, which is as long as there are callers waiting. A new connection
/// makes everything active unwritten again, so older sends go out before newer ones, under the same client message ids. The lock protects all
/// fields and is never held over I/O.
/// </remarks>
internal sealed class Outbox(int maxInFlight, TimeSpan retryFor, TimeProvider time)
{
    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Queue<Pending> _waiting = new();
    private readonly HashSet<Pending> _active = [];
    private readonly PriorityQueue<Pending, long> _unwritten = new();
    private readonly Dictionary<uint, Pending> _written = [];
    private long _lastOrder;
    private uint _lastRequestId;
    private bool _attached;
    private int _maxPacketBytes;
    private long _pausedFrom;
    private TimeSpan _pause;
    private Exception? _closed;
    private TaskCompletionSource? _quiet;
    private bool _handingOver;

    /// <summary>Set when there is something to write.</summary>
    public Signal Ready { get; } = new();

    /// <summary>Called when something new waits for an answer; outside of the lock.</summary>
    public Action? Asked { get; set; }

    public void Add(Pending pending)
    {
        lock (_gate)
        {
            if (_closed is not null)
            {
                pending.Fail(_closed);
                return;
            }

            if (pending.IsOnce && !_attached && !_handingOver)
            {
                pending.Fail(Errors.Disconnected(pending.ClientMessageId));
                return;
            }

            pending.Order = ++_lastOrder;
            pending.Since = time.GetTimestamp();
            _waiting.Enqueue(pending);
            Activate();
        }

        Ready.Set();
        Asked?.Invoke();
    }

    /// <summary>Stops waiting for an answer. What was not written yet is not sent.</summary>
    public void Abandon(Pending pending, Exception? error, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (error is null)
            {
                pending.Cancel(cancellationToken);
            }
            else
            {
                pending.Fail(error);
            }

            Release(pending);
            SetQuiet();
        }

        Ready.Set();
    }

    /// <summary>A connection is signed in: everything without an answer is to be written to it.</summary>
    public void Attach(int maxPacketBytes)
    {
        lock (_gate)
        {
            _attached = true;
            _handingOver = false;
            _quiet = null;
            _maxPacketBytes = maxPacketBytes;
            _pause = TimeSpan.Zero;
            _written.Clear();
            _unwritten.Clear();
            foreach (var pending in _active)
            {
                pending.IsWritten = false;
                _unwritten.Enqueue(pending, pending.Order);
            }
        }

        Ready.Set();
    }

    /// <summary>The connection is gone.</summary>
    /// <param name="handingOver">The next one is made at once: a non-persistent message that was not written to this one may go there.</param>
    public void Detach(bool handingOver)
    {
        lock (_gate)
        {
            _attached = false;
            _handingOver = handingOver;
            _written.Clear();
            foreach (var pending in _active.Concat(_waiting).Where(p => p.IsOnce && !(handingOver && !p.IsWritten)).ToArray())
            {
                pending.Fail(Errors.Disconnected(pending.ClientMessageId));
                Release(pending);
            }
        }
    }

    /// <summary>Writes nothing more to this connection; completes when all is answered that was written before.</summary>
    public Task HoldAsync()
    {
        lock (_gate)
        {
            _quiet ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            SetQuiet();
            return _quiet.Task;
        }
    }

    /// <summary>Whether the application waits for an answer.</summary>
    public bool HasUnanswered
    {
        get
        {
            lock (_gate)
            {
                return _active.Any(p => !p.IsOwn);
            }
        }
    }

    /// <summary>For how long, at most since a time, somebody has waited for an answer; null = nobody waits.</summary>
    public TimeSpan? LongestWait(long since)
    {
        lock (_gate)
        {
            var first = _active.Where(p => !p.IsOwn).Select(p => (long?)p.Since).Min();
            return first is { } asked ? time.GetElapsedTime(Math.Max(since, asked)) : null;
        }
    }

    public uint NextRequestId()
    {
        lock (_gate)
        {
            return TakeRequestId();
        }
    }

    /// <summary>The next packet to write, if there is one now.</summary>
    /// <param name="packet">The packet; nobody else changes it until the connection is detached.</param>
    /// <param name="pauseLeft">How long to wait until something may be written again, after a refusal; zero = until <see cref="Ready"/>.</param>
    public bool TryTake(out ClientPacket packet, out TimeSpan pauseLeft)
    {
        packet = null!;
        pauseLeft = TimeSpan.Zero;
        lock (_gate)
        {
            if (!_attached || _quiet is not null)
            {
                return false;
            }

            if (_pause > TimeSpan.Zero)
            {
                pauseLeft = _pause - time.GetElapsedTime(_pausedFrom);
                if (pauseLeft > TimeSpan.Zero)
                {
                    return false;
                }

                _pause = pauseLeft = TimeSpan.Zero;
            }

            while (_unwritten.TryDequeue(out var pending, out _))
            {
                if (pending.IsDone || pending.IsWritten)
                {
                    continue;
                }

                pending.Packet.RequestId = TakeRequestId();
                if (_maxPacketBytes > 0 && pending.Packet.CalculateSize() > _maxPacketBytes)
                {
                    // The server would close the connection for good.
                    pending.Fail(new ImClientException(
                        ImClientFailure.Refused, $"The packet is larger than the server accepts ({_maxPacketBytes} bytes).")
                    {
                        Code = ImErrorCode.BodyTooLarge,
                        Reason = ImErrorCodes.GetName(ImErrorCode.BodyTooLarge),
                        ClientMessageId = pending.ClientMessageId,
                    });
                    Release(pending);
                    continue;
                }

                pending.IsWritten = true;
                _written.Add(pending.Packet.RequestId, pending);
                packet = pending.Packet;
                return true;
            }

            return false;
        }
    }

    /// <summary>What an answer with this id would answer.</summary>
    public Pending? Find(uint requestId)
    {
        lock (_gate)
        {
            return _written.GetValueOrDefault(requestId);
        }
    }

    /// <summary>An answer arrived. Those to abandoned requests are ignored.</summary>
    public void Answer(ServerPacket packet)
    {
        lock (_gate)
        {
            if (!_written.Remove(packet.RequestId, out var pending))
            {
                return;
            }

            if (packet.PacketCase != ServerPacket.PacketOneofCase.Error)
            {
                pending.Complete(packet);
            }
            else if (!TryAgainLater(pending, packet.Error))
            {
                pending.Fail(Errors.Refused(packet.Error, pending.ClientMessageId));
            }

            if (pending.IsDone)
            {
                Release(pending);
            }

            SetQuiet();
        }

        Ready.Set();
    }

    /// <summary>Nothing is sent any more.</summary>
    public void Close(Exception error)
    {
        lock (_gate)
        {
            _closed ??= error;
            _attached = false;
            foreach (var pending in _active.Concat(_waiting))
            {
                pending.Fail(error);
            }

            _active.Clear();
            _waiting.Clear();
            _unwritten.Clear();
            _written.Clear();
        }
    }

    private bool TryAgainLater(Pending pending, Error error)
    {
        if (!pending.IsSend || pending.IsOnce || !Errors.IsTransient(error.Code))
        {
            return false;
        }

        if (pending.Refusals++ == 0)
        {
            pending.FirstRefusal = time.GetTimestamp();
        }

        var delay = Backoff.Exponential(RetryMin, RetryMax, pending.Refusals - 1);
        if (time.GetElapsedTime(pending.FirstRefusal) + delay > retryFor)
        {
            return false;
        }

        // All sends pause, so that those not written yet do not overtake it.
        pending.IsWritten = false;
        _unwritten.Enqueue(pending, pending.Order);
        _pausedFrom = time.GetTimestamp();
        _pause = delay;
        return true;
    }

    private void Activate()
    {
        while (_active.Count < maxInFlight && _waiting.TryDequeue(out var next))
        {
            if (!next.IsDone)
            {
                _active.Add(next);
                _unwritten.Enqueue(next, next.Order);
            }
        }
    }

    private void Release(Pending pending)
    {
        if (_active.Remove(pending))
        {
            _written.Remove(pending.Packet.RequestId);
            Activate();
        }
    }

    private void SetQuiet()
    {
        if (_written.Count == 0)
        {
            _quiet?.TrySetResult();
        }
    }

    private uint TakeRequestId()
    {
        if (++_lastRequestId == 0)
        {
            _lastRequestId = 1;
        }

        return _lastRequestId;
    }
}
