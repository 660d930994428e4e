using Microsoft.Extensions.Logging;

namespace Im.Client.Internal;

/// <summary>Saves the finished cursors, gathered, and then asks for a device ack.</summary>
internal sealed class CursorKeeper(ImClientOptions options, EventStream events, Action saved, ILogger logger)
{
    private readonly Signal _dirty = new();
    private readonly Signal _full = new();

    public void OnFinished(int unsaved)
    {
        _dirty.Set();
        if (unsaved >= options.CursorSaveEntries)
        {
            _full.Set();
        }
    }

    /// <summary>Runs until cancelled, then saves once more.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await _dirty.WaitAsync(cancellationToken).ConfigureAwait(false);
                await _full.WaitAsync(options.CursorSaveInterval, options.TimeProvider, cancellationToken).ConfigureAwait(false);
                await SaveAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await SaveAsync(limit.Token).ConfigureAwait(false);
        }
    }

    private async Task SaveAsync(CancellationToken cancellationToken)
    {
        if (!events.HasUnsaved)
        {
            return;
        }

        try
        {
            await options.CursorStore.SaveAsync(events.TakeUnsaved(), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The store is the application's: whatever it throws must not end the client. A later save repeats this one.
            events.SaveFailed();
            _dirty.Set();
            if (e is not OperationCanceledException)
            {
                Log.CursorSaveFailed(logger, e);
            }

            return;
        }

        saved();
    }
}
