using System.Collections.Frozen;

namespace Im.Cluster;

/// <summary>What a node knows of the cluster at one moment. Immutable.</summary>
/// <param name="Epoch">This node's epoch; 0 = it has not joined.</param>
/// <param name="Nodes">The nodes that live, by name, this one included.</param>
internal sealed record ClusterView(long Epoch, FrozenDictionary<string, LiveNode> Nodes)
{
    public static ClusterView Alone { get; } = new(0, FrozenDictionary<string, LiveNode>.Empty);

    public static ClusterView Of(long epoch, IEnumerable<LiveNode> nodes) =>
        new(epoch, nodes.ToFrozenDictionary(node => node.Name, StringComparer.Ordinal));

    /// <summary>Whether a directory entry is of a node that lives, as far as is known.</summary>
    public bool IsAlive(DirectorySession session) => Nodes.TryGetValue(session.NodeName, out var node) && session.Epoch >= node.Epoch;

    /// <summary>
    /// Whether a message to the entry's node may reach the session: one that is not known may have joined a moment ago, only a former epoch is surely over.
    /// </summary>
    public bool MayLive(DirectorySession session) => !Nodes.TryGetValue(session.NodeName, out var node) || session.Epoch >= node.Epoch;
}
