using Im.Protocol;

namespace Im.Connections;

/// <summary>A connection's requests, handled one at a time and in order. Its length is bounded by who stops reading the connection.</summary>
/// <remarks>
/// The common case, a send that nothing holds back, is handled inside <see cref="Submit"/>. Where the replies so far are over the outbox's limit, the next
/// request waits until there is room: replies are never dropped, so they are not made faster than they are read.
/// </remarks>
internal sealed class RequestQueue(Outbox outbox, Func<ClientPacket, ValueTask> handle)
{
    // Guards the fields below.
    private readonly Lock _lock = new();
    private Queue<ClientPacket>? _waiting;
    private bool _isHandling;
    private bool _isParked;

    /// <summary>Takes a request; <c>handle</c> is called for it sooner or later and must not throw.</summary>
    public void Submit(ClientPacket request)
    {
        lock (_lock)
        {
            if (_isHandling)
            {
                (_waiting ??= new Queue<ClientPacket>()).Enqueue(request);
                return;
            }

            _isHandling = true;
        }

        _ = HandleFromAsync(request);
    }

    /// <summary>The outbox has room again.</summary>
    public void GoOn()
    {
        ClientPacket next;
        lock (_lock)
        {
            if (!_isParked)
            {
                return;
            }

            _isParked = false;
            next = DequeueLocked();
        }

        _ = HandleFromAsync(next);
    }

    private async Task HandleFromAsync(ClientPacket first)
    {
        for (ClientPacket? request = first; request is not null; request = TakeNext())
        {
            await handle(request);
        }
    }

    // Null: nothing waits, or what waits is parked.
    private ClientPacket? TakeNext()
    {
        lock (_lock)
        {
            if (_waiting is null)
            {
                _isHandling = false;
                return null;
            }

            // Whoever makes room from here on finds the mark, since it takes this lock to look.
            _isParked = outbox.IsOverLimit && outbox.WaitForRoom();
            return _isParked ? null : DequeueLocked();
        }
    }

    private ClientPacket DequeueLocked()
    {
        var next = _waiting!.Dequeue();
        if (_waiting.Count == 0)
        {
            _waiting = null;
        }

        return next;
    }
}
