using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Outbox.Internal;

/// <summary>The right to relay: one relay at a time holds it, for a while, and makes it last longer while it works.</summary>
/// <remarks>
/// It saves work and keeps order; it is not what makes a message stored once. Two relays that both think they hold it (a clock that is wrong, a
/// process that was frozen) send the same rows in the same order, and the store recognises the ids. Used by the relay's loop only.
/// </remarks>
internal sealed class RelayLease
{
    private readonly OutboxDatabase _database;
    private readonly OutboxTable _table;
    private readonly OutboxMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly TimeSpan _duration;
    private readonly TimeSpan _pollInterval;
    private readonly ILogger _logger;
    private readonly string _owner;
    private bool _isHeld;
    private long _triedAt;
    private bool _wasTried;
    private long _untilMs;

    public RelayLease(
        OutboxDatabase database,
        OutboxTable table,
        OutboxMetrics metrics,
        TimeProvider time,
        IOptions<ImOutboxOptions> options,
        IOptions<ImServerOptions> server,
        ILogger<RelayLease> logger)
    {
        _database = database;
        _table = table;
        _metrics = metrics;
        _time = time;
        _duration = options.Value.LeaseDuration;
        _pollInterval = options.Value.PollInterval;
        _logger = logger;

        // A node that was started again is another holder: whether its former life has ended is not known.
        _owner = $"{Ascii(server.Value.NodeName)}/{Guid.NewGuid():N}";
    }

    /// <summary>How often it must be asked for.</summary>
    public TimeSpan RenewInterval => _duration / 3;

    /// <summary>How often one that another relay holds is asked for: as often as rows are.</summary>
    private TimeSpan RetryInterval => _pollInterval < RenewInterval ? _pollInterval : RenewInterval;

    /// <summary>Takes the lease or makes it last longer, if it is time for that. False: another relay holds it.</summary>
    public async ValueTask<bool> HoldAsync()
    {
        if (_wasTried && _time.GetElapsedTime(_triedAt) < (_isHeld ? RenewInterval : RetryInterval))
        {
            return _isHeld;
        }

        var triedAt = _time.GetTimestamp();
        var now = _time.GetUtcNow();
        var until = Math.Max((now + _duration).ToUnixTimeMilliseconds(), _untilMs + 1);
        var taken = await _database.RunAsync(connection => _table.TryTakeLease(connection, _owner, now.ToUnixTimeMilliseconds(), until));
        (_wasTried, _triedAt) = (true, triedAt);
        if (taken != _isHeld)
        {
            Set(taken);
        }

        if (taken)
        {
            _untilMs = until;
        }

        return taken;
    }

    /// <summary>Waits for the work and makes the lease last longer meanwhile.</summary>
    public async Task HoldDuringAsync(Task work)
    {
        while (!work.IsCompleted)
        {
            using var cancel = new CancellationTokenSource();
            await Task.WhenAny(work, Task.Delay(RenewInterval, _time, cancel.Token));
            await cancel.CancelAsync();
            if (work.IsCompleted || !_isHeld)
            {
                return;
            }

            try
            {
                await HoldAsync();
            }
            catch (Exception)
            {
                // The work goes on. Who asks for the lease next meets the same failure, and reports it.
                return;
            }
        }
    }

    /// <summary>Gives it up, so that another relay goes on at once.</summary>
    public async Task ReleaseAsync()
    {
        if (_isHeld)
        {
            Set(false);
            await _database.RunAsync(connection => _table.ReleaseLease(connection, _owner));
        }
    }

    private void Set(bool isHeld)
    {
        _isHeld = isHeld;
        _metrics.IsLeaseHeld = isHeld;
        if (isHeld)
        {
            Log.LeaseTaken(_logger, _owner);
        }
        else
        {
            Log.LeaseEnded(_logger, _owner);
        }
    }

    private static string Ascii(string name) => string.Concat(name.Select(c => char.IsAscii(c) && !char.IsControl(c) ? c : '?'));
}
