using Im.Cluster;

namespace Im.Core.Tests.Cluster;

/// <summary>The backplane of one node, which loses what a test wants lost.</summary>
internal sealed class FaultyBackplane(InMemoryCluster cluster) : IBackplane
{
    private readonly InMemoryBackplane _inner = new(cluster);
    private readonly Queue<(string? NodeName, byte[] Message)> _held = new();
    private bool _holds;

    /// <summary>Whether a message (to a node, or to all: null) is lost on its way; called in the order of sending.</summary>
    public Func<string?, ReadOnlyMemory<byte>, bool> Loses { get; set; } = (_, _) => false;

    public int Published { get; private set; }

    /// <summary>What is sent waits, in order, until it is released.</summary>
    public void Hold()
    {
        lock (_held)
        {
            _holds = true;
        }
    }

    /// <summary>Lets so many of the messages that wait go on, the oldest first.</summary>
    public async Task ReleaseAsync(int count)
    {
        for (; count > 0; count--)
        {
            (string? NodeName, byte[] Message) next;
            lock (_held)
            {
                if (!_held.TryDequeue(out next))
                {
                    return;
                }
            }

            await (next.NodeName is { } nodeName
                ? _inner.PublishAsync(nodeName, next.Message, CancellationToken.None)
                : _inner.PublishToAllAsync(next.Message, CancellationToken.None));
        }
    }

    /// <summary>Lets go what waits, and whatever comes.</summary>
    public async Task ReleaseAllAsync()
    {
        while (true)
        {
            lock (_held)
            {
                if (_held.Count == 0)
                {
                    _holds = false;
                    return;
                }
            }

            await ReleaseAsync(1);
        }
    }

    public ValueTask StartAsync(string nodeName, Action<ReadOnlyMemory<byte>> receive, CancellationToken cancellationToken) =>
        _inner.StartAsync(nodeName, receive, cancellationToken);

    public ValueTask PublishAsync(string nodeName, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        Published++;
        return Loses(nodeName, message) || IsHeld(nodeName, message) ? default : _inner.PublishAsync(nodeName, message, cancellationToken);
    }

    public ValueTask PublishToAllAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        Published++;
        return Loses(null, message) || IsHeld(null, message) ? default : _inner.PublishToAllAsync(message, cancellationToken);
    }

    public ValueTask StopAsync(CancellationToken cancellationToken) => _inner.StopAsync(cancellationToken);

    private bool IsHeld(string? nodeName, ReadOnlyMemory<byte> message)
    {
        lock (_held)
        {
            if (_holds)
            {
                _held.Enqueue((nodeName, message.ToArray()));
            }

            return _holds;
        }
    }
}
