using System.Threading.Channels;

namespace Im.Cluster;

/// <summary>The backplane of the servers of one process. What a receiver is too slow for is dropped, as on a network.</summary>
internal sealed class InMemoryBackplane(InMemoryCluster cluster) : IBackplane, IAsyncDisposable
{
    private const int MaxQueued = 10_000;

    private readonly Channel<ReadOnlyMemory<byte>> _queue = Channel.CreateBounded<ReadOnlyMemory<byte>>(
        new BoundedChannelOptions(MaxQueued) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    private string? _nodeName;
    private Task _receiving = Task.CompletedTask;

    public ValueTask StartAsync(string nodeName, Action<ReadOnlyMemory<byte>> receive, CancellationToken cancellationToken)
    {
        lock (cluster.Lock)
        {
            _nodeName = nodeName;
            if (!cluster.Receivers.TryGetValue(nodeName, out var receivers))
            {
                cluster.Receivers.Add(nodeName, receivers = []);
            }

            receivers.Add(this);
        }

        _receiving = ReceiveAsync(receive);
        return default;
    }

    public ValueTask PublishAsync(string nodeName, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        lock (cluster.Lock)
        {
            if (cluster.Receivers.TryGetValue(nodeName, out var receivers))
            {
                Hand(receivers, message);
            }
        }

        return default;
    }

    public ValueTask PublishToAllAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        lock (cluster.Lock)
        {
            foreach (var receivers in cluster.Receivers.Values)
            {
                Hand(receivers, message);
            }
        }

        return default;
    }

    public async ValueTask StopAsync(CancellationToken cancellationToken)
    {
        lock (cluster.Lock)
        {
            if (_nodeName is not null && cluster.Receivers.TryGetValue(_nodeName, out var receivers) && receivers.Remove(this) && receivers.Count == 0)
            {
                cluster.Receivers.Remove(_nodeName);
            }
        }

        _queue.Writer.TryComplete();
        await _receiving.WaitAsync(cancellationToken);
    }

    public ValueTask DisposeAsync() => StopAsync(CancellationToken.None);

    // In the order in which the lock was taken. Each receiver gets bytes of its own.
    private static void Hand(List<InMemoryBackplane> receivers, ReadOnlyMemory<byte> message)
    {
        foreach (var receiver in receivers)
        {
            receiver._queue.Writer.TryWrite(message.ToArray());
        }
    }

    private async Task ReceiveAsync(Action<ReadOnlyMemory<byte>> receive)
    {
        await foreach (var message in _queue.Reader.ReadAllAsync())
        {
            receive(message);
        }
    }
}
