using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Outbox.Internal;

/// <summary>Sends the rows that are there and removes them, for as long as it holds the lease.</summary>
/// <remarks>
/// <code>
///  wait (nudge, poll) ─▶ lease ─▶ read a page ─▶ send ─▶ remove ─┐
///        ▲                          ▲                            │
///        └──────── nothing left ────┴────────── more ────────────┘
/// </code>
/// There is no cursor: each pass begins at the lowest id, so a row whose transaction commits late is found whatever its id. Only within a pass,
/// behind rows that must stay for now, reading goes on after them.
/// </remarks>
internal sealed class OutboxRelay(
    OutboxDatabase database,
    OutboxTable table,
    RelayLease lease,
    OutboxSender sender,
    HeldBack heldBack,
    WakeUp wakeUp,
    OutboxStatus status,
    OutboxMetrics metrics,
    TimeProvider time,
    IOptions<ImOutboxOptions> options,
    ILogger<OutboxRelay> logger)
{
    // Above it a pass ends, and the next one begins with those that wait the longest.
    private const int MaxWaiting = 20_000;

    private readonly ImOutboxOptions _options = options.Value;
    private int _pageRows = options.Value.MaxPageRows;
    private int _failures;

    /// <summary>Runs until <paramref name="stopping"/>; then the call in hand is finished, until <paramref name="giveUp"/>, and the lease given up.</summary>
    public async Task RunAsync(CancellationToken stopping, CancellationToken giveUp)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (await RunPassAsync(stopping, giveUp))
                {
                    Succeeded();
                    await wakeUp.WaitAsync(Min(_options.PollInterval, lease.RenewInterval), time, stopping);
                }
                else
                {
                    // Not to be woken: a nudge does not repair what failed.
                    await Task.Delay(heldBack.Delay(_failures++), time, stopping);
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception)
            {
                await FailedAsync(exception, stopping);
            }
        }

        await ReleaseAsync();
    }

    // False: the server took nothing; wait a while.
    private async Task<bool> RunPassAsync(CancellationToken stopping, CancellationToken giveUp)
    {
        // What stays in one page is not overtaken by what stands in the next one: by then it may be due again.
        var waiting = new HashSet<string>(StringComparer.Ordinal);
        var after = "";
        while (!stopping.IsCancellationRequested && await lease.HoldAsync())
        {
            var page = await database.RunAsync(connection => table.Read(connection, after, _pageRows, _options.MaxPageBytes));
            AdaptPage(page);
            var report = await sender.SendAsync(page.Rows, waiting, stopping, giveUp);
            if (report.Sent.Count + report.Refused.Count > 0)
            {
                var now = time.GetUtcNow().ToUnixTimeMilliseconds();
                await database.RunAsync(connection => table.Complete(connection, report.Sent, report.Refused, now));
                Succeeded();
            }

            if (report.Stopped)
            {
                return stopping.IsCancellationRequested || !await lease.HoldAsync();
            }

            if (page.IsLast || waiting.Count > MaxWaiting)
            {
                if (page.IsLast && after.Length == 0 && report.Kept == 0)
                {
                    heldBack.Clear();
                }

                return true;
            }

            after = report.Kept > 0 || after.Length > 0 ? page.Rows[^1].Id : "";
        }

        return true;
    }

    // Few large rows are not read in vain again and again.
    private void AdaptPage(OutboxPage page)
    {
        if (page.IsCut)
        {
            _pageRows = Math.Max(1, page.Rows.Count);
        }
        else
        {
            _pageRows = Math.Min(_options.MaxPageRows, _pageRows * 2);
        }
    }

    private void Succeeded()
    {
        if (status.Failure is not null)
        {
            Log.DatabaseBack(logger);
        }

        status.Failure = null;
        _failures = 0;
    }

    private async Task FailedAsync(Exception exception, CancellationToken stopping)
    {
        var delay = heldBack.Delay(_failures++);
        status.Failure = exception;
        metrics.Failed();
        Log.DatabaseFailed(logger, delay, exception);
        await Task.Delay(delay, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ReleaseAsync()
    {
        try
        {
            await lease.ReleaseAsync();
        }
        catch (Exception exception)
        {
            // It ends by itself.
            Log.DatabaseFailed(logger, TimeSpan.Zero, exception);
        }
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
