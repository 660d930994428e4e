using Im.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Messaging.Queue;

/// <summary>Peak shaving: the host's sends beyond a threshold are kept in the store and drained when there is time for them.</summary>
/// <remarks>
/// <code>
///  host's send ─▶ gate ─┬─ direct ──────────────────────────────────▶ pipeline ─▶ committer ─▶ Stored
///                       └─ queued ─▶ check ─▶ writer ─▶ table ─▶ Queued   ▲
///                                                         └─▶ drainer ────┘   (one node at a time)
/// </code>
/// </remarks>
internal sealed class SendQueue(
    IServiceProvider services, SendQueueGate gate, SendQueueWriter writer, SendQueueWatcher watcher, SendQueueDrainer drainer)
{
    // Null: the storage has no such queue, and all sends go straight.
    private readonly Lazy<ISendQueue?> _store = new(services.GetService<ISendQueue>);

    /// <summary>Lets a send in; the passage says which way it goes.</summary>
    public ValueTask<SendPassage> EnterAsync(CancellationToken cancellationToken) => gate.EnterAsync(_store.Value is not null, cancellationToken);

    /// <summary>Puts a checked message into the queue; it is answered later.</summary>
    public ValueTask AddAsync(HostMessage message, CancellationToken cancellationToken) => writer.AddAsync(message, cancellationToken);

    /// <summary>Before the first send; the store is ready.</summary>
    public Task StartAsync(CancellationToken cancellationToken) =>
        _store.Value is { } store ? watcher.StartAsync(store, cancellationToken) : Task.CompletedTask;

    /// <summary>Runs until <paramref name="stopping"/>; what is in hand then is finished, until <paramref name="giveUp"/>.</summary>
    public async Task RunAsync(CancellationToken stopping, CancellationToken giveUp)
    {
        if (_store.Value is not { } store)
        {
            return;
        }

        // One that ends before its time is heard of at once.
        Task[] loops = [writer.RunAsync(store, stopping, giveUp), watcher.RunAsync(store, stopping), drainer.RunAsync(store, stopping, giveUp)];
        await await Task.WhenAny(loops);
        await Task.WhenAll(loops);
    }
}
