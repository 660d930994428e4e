namespace Im.Transport.Tcp.Internal;

/// <summary>Says who must write, so that a connection has at most one writer, and one only while something is queued.</summary>
/// <remarks>
/// <code>
///   starting ──TryPark──▶ parked ──Request──▶ active ──TryPark──▶ parked
///       └──────────────────┴───TryEnd / End────┴──▶ ended, for good
/// </code>
/// A request while the writer is active is only noted; <see cref="TryPark"/> then fails and the writer looks again. Lock-free.
/// </remarks>
internal struct WriterState()
{
    private const int Requested = 1;
    private const int Active = 2;
    private const int Ended = 4;

    // Starting counts as active: requests are noted until the first TryPark.
    private int _state = Active;

    public readonly bool IsRequested => (Volatile.Read(in _state) & Requested) != 0;

    /// <summary>True: there was no writer, the caller must start one.</summary>
    public bool Request()
    {
        while (true)
        {
            var state = Volatile.Read(ref _state);
            if ((state & Ended) != 0)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _state, state | Requested | Active, state) == state)
            {
                return (state & Active) == 0;
            }
        }
    }

    /// <summary>The writer is about to look at the queue: requests up to here are answered by that look.</summary>
    public void BeginPass() => Interlocked.And(ref _state, ~Requested);

    /// <summary>The writer goes, unless a request came since <see cref="BeginPass"/>.</summary>
    public bool TryPark() => Interlocked.CompareExchange(ref _state, 0, Active) == Active;

    /// <summary>Nobody writes any more. By the writer, or in its place where none was ever started.</summary>
    public void End() => Interlocked.Exchange(ref _state, Ended);

    /// <summary>
    /// True: there is no writer and there will be none. False: one is active; it looks once more, instead of parking, and then calls
    /// <see cref="End"/>, since closing or aborting has begun.
    /// </summary>
    public bool TryEnd()
    {
        while (true)
        {
            var state = Volatile.Read(ref _state);
            if ((state & Ended) != 0)
            {
                return true;
            }

            var next = (state & Active) == 0 ? Ended : state | Requested;
            if (Interlocked.CompareExchange(ref _state, next, state) == state)
            {
                return next == Ended;
            }
        }
    }
}
