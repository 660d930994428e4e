using Im.Cluster;
using Im.Diagnostics;
using Im.Presence;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Connections;

/// <summary>What every connection of the server shares; one object, so that a connection holds few references.</summary>
internal sealed class ConnectionServices(
    Requests requests, PresenceWatches presence, ClusterSessions clusterSessions, ClusterState cluster, IOptions<ImServerOptions> options, TimeProvider time, ImMetrics metrics, ILogger<Connection> logger)
{
    public Requests Requests { get; } = requests;

    public PresenceWatches Presence { get; } = presence;

    public ClusterSessions ClusterSessions { get; } = clusterSessions;

    public ClusterState Cluster { get; } = cluster;

    public ImServerOptions Options { get; } = options.Value;

    public TimeProvider Time { get; } = time;

    public ImMetrics Metrics { get; } = metrics;

    public ILogger Logger { get; } = logger;

    public StoreFailureLog StoreFailures { get; } = new(time, logger);
}
