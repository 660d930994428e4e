using Im.Cluster.Wire;

namespace Im.Cluster;

/// <summary>Is shown every message of another node, in order, after the core has handled its own parts. Must not block or throw.</summary>
internal interface IClusterListener
{
    void Received(NodeMessage message);
}
