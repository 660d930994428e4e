using Im.Cluster;

namespace Im.Core.Tests.Cluster;

/// <summary>The backplane of one node, which loses what a test wants lost.</summary>
internal sealed class FaultyBackplane(InMemoryCluster cluster) : IBackplane
{
    private readonly InMemoryBackplane _inner = new(cluster);

    /// <summary>Whether a message (to a node, or to all: null) is lost on its way; called in the order of sending.</summary>
    public Func<string?, ReadOnlyMemory<byte>, bool> Loses { get; set; } = (_, _) => false;

    public int Published { get; private set; }

    public ValueTask StartAsync(string nodeName, Action<ReadOnlyMemory<byte>> receive, CancellationToken cancellationToken) =>
        _inner.StartAsync(nodeName, receive, cancellationToken);

    public ValueTask PublishAsync(string nodeName, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        Published++;
        return Loses(nodeName, message) ? default : _inner.PublishAsync(nodeName, message, cancellationToken);
    }

    public ValueTask PublishToAllAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        Published++;
        return Loses(null, message) ? default : _inner.PublishToAllAsync(message, cancellationToken);
    }

    public ValueTask StopAsync(CancellationToken cancellationToken) => _inner.StopAsync(cancellationToken);
}
