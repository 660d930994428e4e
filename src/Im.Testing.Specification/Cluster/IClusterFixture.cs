using Im.Cluster;
using Im.Rooms;

namespace Im.Testing.Specification;

/// <summary>What one node has of a cluster. A part that an adapter does not have is null, and its suite is not run.</summary>
/// <param name="Directory">Which nodes live and who is connected where.</param>
/// <param name="Backplane">Not started.</param>
/// <param name="Rooms">Not started.</param>
/// <param name="Members">The members of large groups.</param>
public sealed record ClusterNodeParts(
    ISessionDirectory? Directory = null, IBackplane? Backplane = null, IRoomStore? Rooms = null, IGroupMemberCache? Members = null);

/// <summary>Gives the suites the nodes of a cluster.</summary>
/// <remarks>One fixture serves one fact after the other, never two at once: give each test class its own, or one collection.</remarks>
public interface IClusterFixture
{
    /// <summary>The parts of one more node of the cluster.</summary>
    ValueTask<ClusterNodeParts> CreateNodeAsync();

    /// <summary>Ends a node's parts, as a server does that stops. What they shared with others stays.</summary>
    ValueTask CloseAsync(ClusterNodeParts node) => ValueTask.CompletedTask;

    /// <summary>Empties what nodes share. None is open.</summary>
    ValueTask ResetAsync();
}
