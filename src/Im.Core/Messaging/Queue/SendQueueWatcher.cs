using Im.Diagnostics;
using Im.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Messaging.Queue;

/// <summary>Looks at the queue now and then: wakes the drainer, and lets the host's sends go straight again when the queue has none of this node any more.</summary>
/// <remarks>It goes by the real clock: its pauses pace the work and decide nothing.</remarks>
internal sealed class SendQueueWatcher(
    SendQueueGate gate,
    SendQueueStatus status,
    SendQueueDrainer drainer,
    Committer committer,
    IOptions<ImServerOptions> options,
    ILogger<SendQueueWatcher> logger)
{
    // So few rows are drained in a moment.
    private const int FewRows = 1000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan QueueingInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ClosingInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan MaxClosing = TimeSpan.FromSeconds(2);

    private readonly ImServerOptions _options = options.Value;

    /// <summary>Before the first send: rows of this node's life before are in front of it.</summary>
    public async Task StartAsync(ISendQueue store, CancellationToken cancellationToken)
    {
        if ((await LookAsync(store, cancellationToken)).HasRowsOfNode)
        {
            gate.StartQueueing();
        }
    }

    public async Task RunAsync(ISendQueue store, CancellationToken stopping)
    {
        var isFailing = false;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(gate.IsQueueing ? QueueingInterval : Interval, stopping);
                var state = await LookAsync(store, stopping);
                isFailing = false;
                if (gate.IsQueueing && (state.Rows <= FewRows || !state.HasRowsOfNode) && committer.Pending < Math.Max(1, _options.QueueSendsAbove / 2))
                {
                    await TryCloseAsync(store, stopping);
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception)
            {
                if (!isFailing)
                {
                    Log.QueueNotRead(logger, exception);
                }

                isFailing = true;
            }
        }

        // Nobody is left waiting; who sends now is told that the server is shutting down.
        gate.EndClosing(isEmpty: false);
    }

    private async Task TryCloseAsync(ISendQueue store, CancellationToken stopping)
    {
        var isEmpty = false;
        gate.BeginClosing();
        try
        {
            for (var waited = TimeSpan.Zero; !isEmpty && waited < MaxClosing; waited += ClosingInterval)
            {
                // In this order: what has its answer is seen.
                var isQuiet = !gate.HasQueuedInFlight;
                var state = await LookAsync(store, stopping);
                isEmpty = isQuiet && !state.HasRowsOfNode;
                if (!isEmpty)
                {
                    await Task.Delay(ClosingInterval, stopping);
                }
            }
        }
        finally
        {
            gate.EndClosing(isEmpty);
        }
    }

    private async Task<SendQueueState> LookAsync(ISendQueue store, CancellationToken cancellationToken)
    {
        var state = await store.GetStateAsync(_options.NodeName, cancellationToken);
        status.State = state;
        if (state.Rows > 0)
        {
            drainer.Nudge();
        }

        return state;
    }
}
