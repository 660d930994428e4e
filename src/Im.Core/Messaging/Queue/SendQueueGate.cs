using Microsoft.Extensions.Options;

namespace Im.Messaging.Queue;

/// <summary>Decides whether the host's sends go straight to the committer or into the queue, so that none overtakes an earlier one.</summary>
/// <remarks>
/// <code>
///            too many wait for a commit            the queue is nearly empty
///  Direct ──────────────────────────────▶ Queueing ─────────────────────────▶ Closing: sends wait a moment
///    ▲                                       ▲                                   │
///    │                                       └──────── not empty in time ────────┤
///    └───────────────────────────────── the node's last row was drained ─────────┘
/// </code>
/// Nothing is written to the queue before all sends that went straight have their answer.
/// </remarks>
internal sealed class SendQueueGate(Committer committer, IOptions<ImServerOptions> options)
{
    private readonly int _threshold = options.Value.QueueSendsAbove;

    // Protects everything below.
    private readonly Lock _gate = new();
    private Mode _mode;
    private int _direct;
    private int _queued;
    private TaskCompletionSource? _directEnded;
    private TaskCompletionSource? _opened;

    private enum Mode
    {
        Direct,
        Queueing,
        Closing,
    }

    /// <summary>Whether sends go into the queue, or wait for the end of that.</summary>
    public bool IsQueueing
    {
        get
        {
            lock (_gate)
            {
                return _mode != Mode.Direct;
            }
        }
    }

    /// <summary>Whether a send on its way into the queue has no answer yet.</summary>
    public bool HasQueuedInFlight
    {
        get
        {
            lock (_gate)
            {
                return _queued > 0;
            }
        }
    }

    /// <summary>Lets a send in; waits while the queue is being closed.</summary>
    public ValueTask<SendPassage> EnterAsync(bool canQueue, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_mode != Mode.Closing)
            {
                return new(Enter(canQueue));
            }
        }

        return WaitAsync(canQueue, cancellationToken);
    }

    /// <summary>The end of a passage.</summary>
    public void Leave(bool isQueued)
    {
        TaskCompletionSource? ended = null;
        lock (_gate)
        {
            if (isQueued)
            {
                _queued--;
            }
            else if (--_direct == 0)
            {
                (ended, _directEnded) = (_directEnded, null);
            }
        }

        ended?.SetResult();
    }

    /// <summary>Ends when all sends that went straight have their answer.</summary>
    public Task DirectEndedAsync()
    {
        lock (_gate)
        {
            return _direct == 0 ? Task.CompletedTask : (_directEnded ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>The queue has rows of this node from before.</summary>
    public void StartQueueing()
    {
        lock (_gate)
        {
            _mode = Mode.Queueing;
        }
    }

    /// <summary>Lets new sends wait.</summary>
    public void BeginClosing()
    {
        lock (_gate)
        {
            _mode = Mode.Closing;
            _opened ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Lets them go on: straight, or into the queue.</summary>
    public void EndClosing(bool isEmpty)
    {
        TaskCompletionSource? opened;
        lock (_gate)
        {
            _mode = isEmpty ? Mode.Direct : Mode.Queueing;
            (opened, _opened) = (_opened, null);
        }

        opened?.SetResult();
    }

    private SendPassage Enter(bool canQueue)
    {
        if (_mode == Mode.Direct && canQueue && _threshold > 0 && committer.Pending >= _threshold)
        {
            _mode = Mode.Queueing;
        }

        if (_mode == Mode.Queueing)
        {
            _queued++;
            return new SendPassage(this, isQueued: true);
        }

        _direct++;
        return new SendPassage(this, isQueued: false);
    }

    private async ValueTask<SendPassage> WaitAsync(bool canQueue, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task opened;
            lock (_gate)
            {
                if (_mode != Mode.Closing)
                {
                    return Enter(canQueue);
                }

                opened = _opened!.Task;
            }

            await opened.WaitAsync(cancellationToken);
        }
    }
}
