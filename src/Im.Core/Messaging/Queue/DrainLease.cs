using Im.Diagnostics;
using Im.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Messaging.Queue;

/// <summary>The right to drain the queue: one node at a time has it, and renews it while it drains.</summary>
/// <remarks>
/// <para>Another holder's lease is taken when its number has not changed for the lease's duration, as measured here: nodes whose clocks differ agree.</para>
/// <para>It saves work; it is not what makes a message stored once, nor what keeps order. Two nodes that both think they hold it (one was frozen) send the
/// same rows in the same order, and the store recognises the ids. Used by the drainer's loop only.</para>
/// </remarks>
internal sealed class DrainLease(TimeProvider time, IOptions<ImServerOptions> options, ILogger<DrainLease> logger)
{
    private static readonly TimeSpan MaxRetryInterval = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _duration = options.Value.SendQueueLease;
    private readonly string _owner = Guid.NewGuid().ToString("N");
    private SendQueueLease _seen = SendQueueLease.Free;
    private long _seenAt;
    private long _triedAt;
    private bool _wasTried;

    public bool IsHeld { get; private set; }

    private TimeSpan Interval => _duration / 3;

    private TimeSpan RetryInterval => Interval < MaxRetryInterval ? Interval : MaxRetryInterval;

    /// <summary>Takes the lease or renews it, if it is time for that. False: another node has it.</summary>
    public async ValueTask<bool> HoldAsync(ISendQueue store, CancellationToken cancellationToken)
    {
        if (_wasTried && time.GetElapsedTime(_triedAt) < (IsHeld ? Interval : RetryInterval))
        {
            return IsHeld;
        }

        var started = time.GetTimestamp();
        var expired = !IsHeld && _seen.Owner.Length > 0 && time.GetElapsedTime(_seenAt) >= _duration ? _seen : SendQueueLease.Free;
        var now = await store.TakeLeaseAsync(_owner, expired, cancellationToken);
        (_wasTried, _triedAt) = (true, started);
        if (now != _seen)
        {
            (_seen, _seenAt) = (now, time.GetTimestamp());
        }

        Set(now.Owner == _owner);
        return IsHeld;
    }

    /// <summary>Gives it up, so that another node may go on at once.</summary>
    public async ValueTask ReleaseAsync(ISendQueue store, CancellationToken cancellationToken)
    {
        if (IsHeld)
        {
            Set(false);
            _wasTried = false;
            _seen = SendQueueLease.Free;
            await store.ReleaseLeaseAsync(_owner, cancellationToken);
        }
    }

    private void Set(bool isHeld)
    {
        if (isHeld == IsHeld)
        {
            return;
        }

        IsHeld = isHeld;
        if (isHeld)
        {
            Log.DrainLeaseTaken(logger);
        }
        else
        {
            Log.DrainLeaseEnded(logger);
        }
    }
}
