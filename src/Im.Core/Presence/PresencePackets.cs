using Im.Cluster;
using Im.Protocol;

namespace Im.Presence;

/// <summary>The packets of one round: whoever is told of the same users shares one packet, encoded once for each codec.</summary>
/// <remarks>A tree: each step down is one user's state, so equal lists of states end in the same place.</remarks>
internal sealed class PresencePackets
{
    private readonly Node _root = new();

    /// <summary>How many different packets there are.</summary>
    public int Count { get; private set; }

    public SharedPacket Get(IReadOnlyList<PresenceState> states)
    {
        var node = _root;
        foreach (var state in states)
        {
            node.Children ??= new Dictionary<PresenceState, Node>(ReferenceEqualityComparer.Instance);
            if (!node.Children.TryGetValue(state, out var child))
            {
                node.Children.Add(state, child = new Node());
            }

            node = child;
        }

        if (node.Packet is null)
        {
            node.Packet = new SharedPacket(new ServerPacket { PresenceChanged = new PresenceChanged { Users = { states.Select(state => state.ToWire()) } } });
            Count++;
        }

        return node.Packet;
    }

    private sealed class Node
    {
        public Dictionary<PresenceState, Node>? Children { get; set; }

        public SharedPacket? Packet { get; set; }
    }
}
