using Im.Diagnostics;
using Im.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Messaging.Queue;

/// <summary>Takes the queue's rows, a few at a time and only while the committer has little to do, sends them and removes them.</summary>
/// <remarks>
/// <code>
///  wait until there are rows ─▶ lease ─▶ read a page ─▶ some of it: committer idle? ─▶ send ─▶ remove ─┐
///        ▲                                   ▲                 ▲                                        │
///        └────────── nothing left ───────────┴──── page done ──┴──────────────── more ◀─────────────────┘
/// </code>
/// There is no cursor: each pass begins at the lowest number, so a row whose transaction ends late is found. Only behind rows that must stay for now
/// reading goes on after them. Its pauses go by the real clock: they pace the work and decide nothing.
/// </remarks>
internal sealed class SendQueueDrainer(
    Committer committer,
    DrainLease lease,
    QueuedSender sender,
    SendQueueGate gate,
    IOptions<ImServerOptions> options,
    ILogger<SendQueueDrainer> logger)
{
    private const int PageRows = 1000;
    private const int PageBytes = 2 * 1024 * 1024;
    private const int MaxBusyPauses = 50; // a quarter of a second
    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(5);

    private readonly ImServerOptions _options = options.Value;
    private readonly SemaphoreSlim _rows = new(0, 1);

    /// <summary>There are rows; safe to call from anywhere.</summary>
    public void Nudge()
    {
        try
        {
            _rows.Release();
        }
        catch (SemaphoreFullException)
        {
            // It knows already.
        }
    }

    /// <summary>Drains until <paramref name="stopping"/>; then commits in hand are waited for until <paramref name="giveUp"/>.</summary>
    public async Task RunAsync(ISendQueue store, CancellationToken stopping, CancellationToken giveUp)
    {
        var failures = 0;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await _rows.WaitAsync(stopping);
                if (await lease.HoldAsync(store, stopping))
                {
                    failures = await PassAsync(store, stopping, giveUp) ? 0 : failures + 1;
                }

                if (failures > 0)
                {
                    await BackOffAsync(failures, stopping);
                }
                else if (!gate.IsQueueing)
                {
                    await lease.ReleaseAsync(store, stopping);
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception)
            {
                Log.DrainFailed(logger, exception);
                await BackOffAsync(++failures, stopping);
            }
        }

        await TryReleaseAsync(store, giveUp);
    }

    // False: something stayed that must be tried again after a while.
    private async Task<bool> PassAsync(ISendQueue store, CancellationToken stopping, CancellationToken giveUp)
    {
        var held = new HashSet<(string SenderId, string ConversationId)>();
        var after = 0L;
        var kept = 0;
        while (await lease.HoldAsync(store, stopping))
        {
            var page = await store.ReadAsync(after, PageRows, PageBytes, stopping);
            if (page.Count == 0)
            {
                break;
            }

            for (var next = 0; next < page.Count; next += _options.MaxQueuedSendsPerCommit)
            {
                await WaitUntilIdleAsync(stopping);
                if (!await lease.HoldAsync(store, stopping))
                {
                    return true;
                }

                var some = page.Skip(next).Take(_options.MaxQueuedSendsPerCommit).ToList();
                var report = await sender.SendAsync(some, held, giveUp);
                kept += report.Kept;
                if (report.Done.Count > 0)
                {
                    await store.RemoveAsync(report.Done, giveUp);
                }

                if (report.IsServerDown)
                {
                    return false;
                }

                stopping.ThrowIfCancellationRequested();
            }

            after = kept > 0 ? page[^1].Id : 0;
        }

        return kept == 0;
    }

    // What waits and the next rows fit into one commit: whoever sends meanwhile waits for that one at most. Where people never stop, the queue still moves.
    private async Task WaitUntilIdleAsync(CancellationToken stopping)
    {
        for (var i = 0; i < MaxBusyPauses && committer.Pending > 0 && committer.Pending + _options.MaxQueuedSendsPerCommit > _options.MaxBatchMessages; i++)
        {
            await Task.Delay(BusyPause, stopping);
        }
    }

    private async Task BackOffAsync(int failures, CancellationToken stopping)
    {
        var delay = FirstBackoff * Math.Pow(2, Math.Min(failures, 10));
        Nudge();
        await Task.Delay(delay < MaxBackoff ? delay : MaxBackoff, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task TryReleaseAsync(ISendQueue store, CancellationToken giveUp)
    {
        try
        {
            await lease.ReleaseAsync(store, giveUp);
        }
        catch (Exception exception)
        {
            // Another node takes it when it has run out.
            Log.DrainFailed(logger, exception);
        }
    }
}
