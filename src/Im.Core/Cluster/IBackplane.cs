namespace Im.Cluster;

/// <summary>Messages between nodes: at most once, in order from one node to another, never stored.</summary>
/// <remarks>
/// What it carries are hints of what the store holds. The nodes number what they send and notice what is missing, so a backplane need not try again.
/// All methods are safe to call at once from many threads; failures are <see cref="ImClusterException"/> and come fast.
/// </remarks>
public interface IBackplane
{
    /// <summary>Begins to receive. A backplane that is away connects when it can; starting does not wait for that and does not fail for it.</summary>
    /// <param name="nodeName">What is addressed to this name, or to all nodes, is received; a node receives its own messages to all too.</param>
    /// <param name="receive">Called for one message after the other, in order; must not block. The bytes are the callee's.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    ValueTask StartAsync(string nodeName, Action<ReadOnlyMemory<byte>> receive, CancellationToken cancellationToken);

    /// <summary>Sends to one node. Ends when the message was handed over; messages of one caller stay in order.</summary>
    /// <exception cref="ImClusterException">It was not handed over.</exception>
    ValueTask PublishAsync(string nodeName, ReadOnlyMemory<byte> message, CancellationToken cancellationToken);

    /// <summary>Sends to all nodes, this one included, as one message of the backplane.</summary>
    /// <exception cref="ImClusterException">It was not handed over.</exception>
    ValueTask PublishToAllAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken);

    /// <summary>Receives nothing any more.</summary>
    ValueTask StopAsync(CancellationToken cancellationToken);
}
