using Im.Diagnostics;
using Im.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Retention;

/// <summary>Passes over the store now and then and forgets what is past keeping, in small bites with pauses, so that commits hardly notice.</summary>
/// <remarks>Several nodes may do so at once. A part that fails is logged; the others go on, and the next pass tries it again.</remarks>
internal sealed class RetentionLoop(
    IServiceProvider services, TimeProvider time, ImMetrics metrics, IOptions<ImRetentionOptions> options, ILogger<RetentionLoop> logger) : IServerLoop
{
    private delegate ValueTask<RetentionBite> Part(string? after, int maxRows, CancellationToken cancellationToken);

    private readonly ImRetentionOptions _options = options.Value;

    public string Name => "retention";

    /// <summary>Runs until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (services.GetService<IRetentionStore>() is not { } store)
        {
            Log.RetentionMissing(logger);
            return;
        }

        try
        {
            // The first one soon, for servers that do not live long.
            await Task.Delay(_options.Interval * (0.05 + (0.1 * Random.Shared.NextDouble())), time, cancellationToken);
            while (true)
            {
                await PassAsync(store, cancellationToken);
                await Task.Delay(_options.Interval * (0.9 + (0.2 * Random.Shared.NextDouble())), time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown.
        }
    }

    private async ValueTask PassAsync(IRetentionStore store, CancellationToken cancellationToken)
    {
        var limits = RetentionLimitsFactory.Create(_options, time.GetUtcNow());
        var total = default(RetentionBite);
        if (limits.EntriesBeforeMs is not null || limits.EntriesPerConversation is not null)
        {
            total = Add(total, await RunAsync("conversations", (after, max, token) => store.ExpireConversationsAsync(after, limits, max, token), cancellationToken));
        }

        if (limits.InboxesBeforeMs is not null || limits.EntriesPerInbox is not null || limits.MergeBeforeMs is not null)
        {
            total = Add(total, await RunAsync("inboxes", (after, max, token) => store.ExpireInboxesAsync(after, limits, max, token), cancellationToken));
        }

        if (limits.SentBeforeMs is not null || limits.CommitsBeforeMs is not null)
        {
            total = Add(total, await RunAsync("logs", (_, max, token) => store.ExpireLogsAsync(limits, max, token), cancellationToken));
        }

        Log.RetentionPassed(logger, total.DeletedEntries, total.DeletedChunks, total.MergedChunks, total.DeletedRows);
    }

    private async ValueTask<RetentionBite> RunAsync(string name, Part part, CancellationToken cancellationToken)
    {
        var total = default(RetentionBite);
        try
        {
            string? after = null;
            do
            {
                var started = time.GetTimestamp();
                var bite = await part(after, _options.MaxRowsPerBite, cancellationToken);
                metrics.RetentionBite(name, time.GetElapsedTime(started), bite);
                total = Add(total, bite);
                if (bite.Next is not null && bite == new RetentionBite(after))
                {
                    throw new InvalidOperationException($"The retention of {name} stands still at \"{after}\".");
                }

                after = bite.Next;
                if (after is not null)
                {
                    await Task.Delay(_options.PauseBetweenBites, time, cancellationToken);
                }
            }
            while (after is not null);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            metrics.RetentionFailed(name);
            Log.RetentionFailed(logger, name, exception);
        }

        return total;
    }

    private static RetentionBite Add(RetentionBite total, RetentionBite bite) => new(
        null,
        total.DeletedEntries + bite.DeletedEntries,
        total.DeletedChunks + bite.DeletedChunks,
        total.MergedChunks + bite.MergedChunks,
        total.DeletedRows + bite.DeletedRows);
}
