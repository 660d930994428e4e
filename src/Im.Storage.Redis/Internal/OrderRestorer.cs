namespace Im.Storage.Redis.Internal;

/// <summary>
/// Puts what newer client libraries hand over side by side back in order. With 1.2.6, which keeps it, everything passes straight through.
/// </summary>
/// <remarks>
/// <code>
///  number = next  ──▶ out, and what was held behind it
///  number > next  ──▶ held until the missing ones come, for <c>wait</c> at most; then the hole is somebody else's to notice
///  number &lt; next  ──▶ too late: left out, as what is lost
/// </code>
/// One lock guards it all, and is held while an item is put out: the output only adds it to a queue.
/// </remarks>
internal sealed class OrderRestorer<T> : IDisposable
{
    private const int DefaultMaxHeld = 1_024;
    private const int MaxSources = 10_000;

    private readonly Action<T> _output;
    private readonly int _maxHeld;
    private readonly TimeSpan _wait;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Source> _sources = new(StringComparer.Ordinal);
    private readonly HashSet<Source> _holding = [];
    private readonly ITimer _timer;

    public OrderRestorer(Action<T> output, TimeSpan wait, TimeProvider time, int maxHeld = DefaultMaxHeld)
    {
        _maxHeld = maxHeld;
        _output = output;
        _wait = wait;
        _time = time;
        _timer = time.CreateTimer(static state => ((OrderRestorer<T>)state!).ReleaseOld(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Takes an item.</summary>
    /// <param name="name">Whose numbers they are.</param>
    /// <param name="run">Begins anew with another text.</param>
    /// <param name="number">The first number of the item.</param>
    /// <param name="count">How many numbers it has.</param>
    /// <param name="item">The item.</param>
    public void Add(string name, string run, long number, int count, T item)
    {
        lock (_lock)
        {
            var source = Find(name, run, number);
            if (number > source.Next && _wait > TimeSpan.Zero)
            {
                Hold(source, number, count, item);
            }
            else if (number >= source.Next)
            {
                Put(source, number, count, item);
                ReleaseNext(source);
            }
        }
    }

    /// <summary>The source begins anew, whenever it begins.</summary>
    public void Forget(string name)
    {
        lock (_lock)
        {
            if (_sources.Remove(name, out var source))
            {
                ReleaseAll(source);
            }
        }
    }

    public void Dispose() => _timer.Dispose();

    private Source Find(string name, string run, long number)
    {
        if (_sources.TryGetValue(name, out var source) && source.Run == run)
        {
            return source;
        }

        if (source is not null)
        {
            ReleaseAll(source);
        }
        else if (_sources.Count >= MaxSources)
        {
            // Sources that are gone; those that live begin anew.
            _sources.Values.ToList().ForEach(ReleaseAll);
            _sources.Clear();
        }

        return _sources[name] = new Source(run) { Next = number };
    }

    private void Hold(Source source, long number, int count, T item)
    {
        source.Held[number] = (count, item);
        if (source.Held.Count > _maxHeld)
        {
            ReleaseAll(source);
        }
        else if (_holding.Add(source))
        {
            source.HeldSince = _time.GetTimestamp();
            if (_holding.Count == 1)
            {
                _timer.Change(_wait, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Put(Source source, long number, int count, T item)
    {
        source.Next = number + count;
        _output(item);
    }

    private void ReleaseNext(Source source)
    {
        while (source.Held.Count > 0 && source.Held.Keys[0] <= source.Next)
        {
            ReleaseFirst(source);
        }

        if (source.Held.Count == 0)
        {
            _holding.Remove(source);
        }
    }

    private void ReleaseAll(Source source)
    {
        while (source.Held.Count > 0)
        {
            ReleaseFirst(source);
        }

        _holding.Remove(source);
    }

    private void ReleaseFirst(Source source)
    {
        var number = source.Held.Keys[0];
        var (count, item) = source.Held.Values[0];
        source.Held.RemoveAt(0);
        if (number >= source.Next)
        {
            Put(source, number, count, item);
        }
    }

    private void ReleaseOld()
    {
        lock (_lock)
        {
            foreach (var source in _holding.Where(source => _time.GetElapsedTime(source.HeldSince) >= _wait).ToArray())
            {
                ReleaseAll(source);
            }

            if (_holding.Count > 0)
            {
                _timer.Change(_wait, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private sealed class Source(string run)
    {
        public string Run { get; } = run;

        public long Next { get; set; }

        public long HeldSince { get; set; }

        public SortedList<long, (int Count, T Item)> Held { get; } = [];
    }
}
