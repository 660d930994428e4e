using Microsoft.Extensions.Logging;

namespace Im.Storage.Redis.Internal;

/// <summary>Open while Redis does not answer: then nobody waits for it, and one probe after the other asks whether it is back.</summary>
/// <remarks>
/// <code>
///  closed ── an operation timed out or had no connection ──▶ open ── a probe succeeded ──▶ closed
///                                                             │ ▲
///                                                             └─┘ every ProbeInterval
/// </code>
/// The lock guards the state and is held for a few steps; the loop of probes runs only while open.
/// </remarks>
internal sealed class RedisCircuit(Func<CancellationToken, Task> probe, TimeSpan interval, TimeProvider time, RedisMetrics metrics, ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _probing = Task.CompletedTask;
    private volatile Exception? _cause;

    /// <summary>Why nothing is asked of Redis now; null = closed.</summary>
    public Exception? Cause => _cause;

    public void Open(string operation, Exception cause)
    {
        lock (_lock)
        {
            if (_cause is not null || _stop.IsCancellationRequested)
            {
                return;
            }

            _cause = cause;
            metrics.CircuitOpened();
            Log.Unavailable(logger, operation, cause);
            _probing = ProbeAsync(time.GetTimestamp());
        }
    }

    /// <summary>Ends the probes.</summary>
    public async Task StopAsync()
    {
        Task probing;
        lock (_lock)
        {
            _stop.Cancel();
            probing = _probing;
        }

        await probing.ConfigureAwait(false);
    }

    private async Task ProbeAsync(long since)
    {
        // Whoever opens it holds the lock.
        await Task.Yield();
        while (!await TryAsync().ConfigureAwait(false))
        {
            try
            {
                await Task.Delay(interval, time, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                metrics.CircuitClosed();
                return;
            }
        }

        lock (_lock)
        {
            _cause = null;
            metrics.CircuitClosed();
        }

        Log.Available(logger, time.GetElapsedTime(since));
    }

    private async Task<bool> TryAsync()
    {
        try
        {
            await probe(_stop.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception)
        {
            // Whatever it is, Redis is not back. The first cause was logged.
            return false;
        }
    }
}
