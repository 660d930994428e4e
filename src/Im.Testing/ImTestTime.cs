namespace Im.Testing;

/// <summary>A clock that stands still until a test moves it.</summary>
/// <remarks>
/// <para>Timers fire inside of <see cref="Advance"/>, on its thread, in the order in which they are due; those that are due at one time in the
/// order in which they were set. During a timer's callback the clock shows the time at which it was due. A periodic timer fires as often as it
/// would have.</para>
/// <para>What a timer sets off (a continuation, a loop that goes on) runs on the thread pool as ever: await its effect, do not look for it in the
/// next line. Safe to use from many threads; two calls of <see cref="Advance"/> at once move the clock to the later of the two ends.</para>
/// </remarks>
public sealed class ImTestTime : TimeProvider
{
    /// <summary>Protects the clock and the set of timers; callbacks run outside of it.</summary>
    private readonly Lock _gate = new();
    private readonly SortedSet<TestTimer> _timers = new(TestTimer.ByDue);
    private readonly DateTimeOffset _start;
    private long _elapsedTicks;
    private long _lastOrder;

    /// <summary>A clock that shows 2026-01-01, midnight UTC.</summary>
    public ImTestTime()
        : this(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
    }

    /// <summary>A clock that shows a given time.</summary>
    public ImTestTime(DateTimeOffset start) => _start = start.ToUniversalTime();

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override long GetTimestamp() => Interlocked.Read(ref _elapsedTicks);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _start.AddTicks(GetTimestamp());

    /// <summary>Moves the clock and fires what becomes due on the way.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var end = GetTimestamp() + by.Ticks;
        while (TryTakeDue(end) is { } due)
        {
            due.Fire();
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new TestTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>The next timer that is due until a time, with the clock moved to it; null when there is none, with the clock at the end.</summary>
    private TestTimer? TryTakeDue(long end)
    {
        lock (_gate)
        {
            if (_timers.Min is not { } next || next.Due > end)
            {
                _elapsedTicks = Math.Max(_elapsedTicks, end);
                return null;
            }

            _elapsedTicks = Math.Max(_elapsedTicks, next.Due);
            _timers.Remove(next);
            if (next.Period > 0)
            {
                Add(next, next.Due + next.Period);
            }

            return next;
        }
    }

    private void Add(TestTimer timer, long due)
    {
        timer.Due = due;
        timer.Order = ++_lastOrder;
        _timers.Add(timer);
    }

    private sealed class TestTimer(ImTestTime owner, TimerCallback callback, object? state) : ITimer
    {
        private bool _isDisposed;

        public static Comparer<TestTimer> ByDue { get; } = Comparer<TestTimer>.Create(
            static (x, y) => x.Due != y.Due ? x.Due.CompareTo(y.Due) : x.Order.CompareTo(y.Order));

        // All three change under the owner's lock, and Due and Order only while the timer is not in its set.
        public long Due { get; set; }

        public long Order { get; set; }

        public long Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(dueTime, Timeout.InfiniteTimeSpan);
            ArgumentOutOfRangeException.ThrowIfLessThan(period, Timeout.InfiniteTimeSpan);
            lock (owner._gate)
            {
                owner._timers.Remove(this);
                if (_isDisposed)
                {
                    return false;
                }

                Period = Math.Max(0, period.Ticks);
                if (dueTime > TimeSpan.Zero)
                {
                    owner.Add(this, owner._elapsedTicks + dueTime.Ticks);
                    return true;
                }

                if (dueTime == Timeout.InfiniteTimeSpan)
                {
                    return true;
                }

                if (Period > 0)
                {
                    owner.Add(this, owner._elapsedTicks + Period);
                }
            }

            // Due now: fired as a real timer does, elsewhere.
            ThreadPool.UnsafeQueueUserWorkItem(static timer => timer.Fire(), this, preferLocal: false);
            return true;
        }

        public void Dispose()
        {
            lock (owner._gate)
            {
                _isDisposed = true;
                owner._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
