using System.Threading.Channels;
using Im.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Presence;

/// <summary>Tells the host's listeners who has come and gone: in batches, in order, at most once, without holding anybody back.</summary>
internal sealed class PresenceEvents
{
    private const int MaxBatch = 500;

    private readonly Channel<PresenceEvent> _queue;
    private readonly IServiceProvider _services;
    private readonly ILogger _logger;
    private IPresenceListener[]? _listeners;
    private int _dropped;

    public PresenceEvents(IServiceProvider services, PresenceMetrics metrics, IOptions<ImPresenceOptions> options, ILogger<PresenceEvents> logger)
    {
        _services = services;
        _logger = logger;
        _queue = Channel.CreateBounded<PresenceEvent>(
            new BoundedChannelOptions(options.Value.MaxQueuedEvents) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
            _ =>
            {
                Interlocked.Increment(ref _dropped);
                metrics.EventsDropped(1);
            });
    }

    // Resolved late: a listener may ask for the server itself.
    private IPresenceListener[] Listeners => _listeners ??= [.. _services.GetServices<IPresenceListener>()];

    public void Raise(PresenceEvent change)
    {
        if (_listeners is not { Length: 0 })
        {
            _queue.Writer.TryWrite(change);
        }
    }

    /// <summary>Takes no more; <see cref="RunAsync"/> ends when everything taken has been told.</summary>
    public void Complete() => _queue.Writer.TryComplete();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await _queue.Reader.WaitToReadAsync(cancellationToken))
            {
                var batch = new List<PresenceEvent>();
                while (batch.Count < MaxBatch && _queue.Reader.TryRead(out var change))
                {
                    batch.Add(change);
                }

                if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
                {
                    Log.PresenceEventsDropped(_logger, dropped);
                }

                await TellAsync(batch, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown that took too long; at most once was the promise.
        }
    }

    private async ValueTask TellAsync(List<PresenceEvent> batch, CancellationToken cancellationToken)
    {
        foreach (var listener in Listeners)
        {
            try
            {
                await listener.ChangedAsync(batch, cancellationToken);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                Log.PresenceListenerFailed(_logger, listener.GetType().Name, batch.Count, exception);
            }
        }
    }
}
