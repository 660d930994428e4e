using Im.Client;
using Im.Protocol;

namespace Im.Testing.Internal;

/// <summary>Everything that one device was given, in order, for many waiters.</summary>
internal sealed class EventLog
{
    /// <summary>Protects the fields below.</summary>
    private readonly Lock _gate = new();
    private readonly List<ImEvent> _events = [];
    private TaskCompletionSource _changed = NewSignal();
    private int _receivedUpTo;

    public IReadOnlyList<ImEvent> Events
    {
        get
        {
            lock (_gate)
            {
                return [.. _events];
            }
        }
    }

    public void Add(ImEvent item)
    {
        lock (_gate)
        {
            _events.Add(item);
        }

        Changed();
    }

    /// <summary>Lets the waiters look again.</summary>
    public void Changed()
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            changed = _changed;
            _changed = NewSignal();
        }

        changed.TrySetResult();
    }

    /// <summary>The next entry that fits and was not taken before.</summary>
    public bool TryReceive(Func<Entry, bool> fits, out Entry entry)
    {
        lock (_gate)
        {
            while (_receivedUpTo < _events.Count)
            {
                if (_events[_receivedUpTo++] is ImEntryEvent { Entry: var next } && fits(next))
                {
                    entry = next;
                    return true;
                }
            }
        }

        entry = null!;
        return false;
    }

    /// <summary>Completes when a look succeeds; looks again after each change.</summary>
    public async Task<T> WaitAsync<T>(Func<(bool Found, T Value)> look, TimeSpan limit, Func<string> complain, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limit);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                changed = _changed.Task;
            }

            var (found, value) = look();
            if (found)
            {
                return value;
            }

            try
            {
                await changed.WaitAsync(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException(complain());
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
