using Im.Cluster;
using Im.Connections;
using Im.Diagnostics;
using Im.Messaging;
using Im.Messaging.Queue;
using Im.Storage;
using Im.Sync;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Im.Administration;

/// <summary>Describes this node.</summary>
internal sealed class NodeInspector(
    ConnectionRegistry connections,
    SessionRegistry sessions,
    Committer committer,
    AfterCommit afterCommit,
    CatchUpScheduler catchUps,
    ClusterSender sender,
    SendQueueStatus sends,
    ClusterState cluster,
    StorageHealth storage,
    IMessageStore store,
    ImHealthCheck health,
    RateSampler rates,
    TimeProvider time,
    IOptions<ImServerOptions> options)
{
    public async ValueTask<AdminNodeStatus> DescribeAsync(CancellationToken cancellationToken)
    {
        var context = new HealthCheckContext { Registration = new HealthCheckRegistration("im", health, HealthStatus.Unhealthy, null) };
        var result = await health.CheckHealthAsync(context, cancellationToken);
        var (users, devices) = sessions.Count();
        return new AdminNodeStatus
        {
            Node = cluster.Node.Name,
            Version = cluster.Node.Version,
            Epoch = cluster.View.Epoch,
            TimeMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            UptimeMs = (long)rates.Uptime.TotalMilliseconds,
            Health = result.Status switch
            {
                HealthStatus.Healthy => AdminHealth.Healthy,
                HealthStatus.Degraded => AdminHealth.Degraded,
                _ => AdminHealth.Unhealthy,
            },
            HealthText = result.Description ?? "",
            IsDraining = connections.IsStopping,
            Connections = connections.Count,
            Sessions = devices,
            Users = users,
            Rates = rates.Read(),
            Queues = new AdminQueues(
                committer.Pending, options.Value.MaxPendingMessages, sender.Queued, afterCommit.Queued, catchUps.Queued, sends.State.Rows),
            Store = DescribeStore(),
            Cluster = DescribeCluster(),
            Process = DescribeProcess(),
        };
    }

    private AdminStore DescribeStore()
    {
        var failure = storage.LastFailure;
        return new AdminStore(
            store.GetType().Name,
            failure is null,
            failure?.Why ?? "",
            failure?.Since.ToUnixTimeMilliseconds() ?? 0,
            (long)storage.SinceSuccess.TotalMilliseconds);
    }

    private AdminCluster DescribeCluster() => new(
        [.. cluster.View.Nodes.Keys.Order(StringComparer.Ordinal)],
        cluster.DirectoryFailure?.Message ?? "",
        cluster.IsBackplaneHealthy,
        (long)cluster.SinceProbe.TotalMilliseconds,
        cluster.IsRejoining);

    private static AdminProcess DescribeProcess() => new(
        Environment.ProcessId,
        Environment.ProcessorCount,
        OperatingSystem.IsBrowser() || OperatingSystem.IsIOS() || OperatingSystem.IsTvOS() ? 0 : (long)Environment.CpuUsage.TotalTime.TotalMilliseconds,
        Environment.WorkingSet,
        GC.GetTotalMemory(forceFullCollection: false),
        GC.GetTotalAllocatedBytes(),
        GC.CollectionCount(0),
        GC.CollectionCount(1),
        GC.CollectionCount(2),
        Math.Round(GC.GetTotalPauseDuration().TotalMilliseconds, 1),
        Math.Round(GC.GetGCMemoryInfo().PauseTimePercentage, 2),
        ThreadPool.ThreadCount,
        ThreadPool.PendingWorkItemCount);
}
