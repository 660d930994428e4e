using System.Globalization;
using Im.Cluster;
using Im.Connections;
using Im.Messaging;
using Im.Messaging.Queue;
using Im.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Im.Diagnostics;

/// <summary>Whether this node is to get traffic: not draining, the store takes writes, and senders are not about to wait.</summary>
internal sealed class ImHealthCheck(
    IServiceProvider services,
    ConnectionRegistry connections,
    Committer committer,
    StorageHealth health,
    ClusterState cluster,
    SendQueueStatus queue,
    TimeProvider time,
    IOptions<ImServerOptions> options) : IHealthCheck, IDisposable
{
    private const double NearlyFull = 0.8;
    private static readonly TimeSpan ProbeAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(5);

    // One probe at a time, however many ask.
    private readonly SemaphoreSlim _probing = new(1);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        var problem = await FindStorageProblemAsync(cancellationToken);
        var pending = committer.Pending;
        var data = Describe(pending);
        if (connections.IsStopping)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, "The IM server is draining.", data: data);
        }

        if (problem is not null || health.LastFailure is not null)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, "The IM server's store takes no writes.", problem, data);
        }

        if (cluster.DirectoryFailure is not null)
        {
            return HealthCheckResult.Degraded("The session directory cannot be reached: this node goes on alone.", cluster.DirectoryFailure, data);
        }

        if (cluster is { MayHavePeers: true, IsBackplaneHealthy: false })
        {
            return HealthCheckResult.Degraded("The backplane does not carry this node's probe: other nodes' entries come late, by the head check.", null, data);
        }

        if (queue.State.Rows > options.Value.MaxQueuedSends * NearlyFull)
        {
            return HealthCheckResult.Degraded("The IM server's queue of sends in the store is nearly full.", null, data);
        }

        return pending > options.Value.MaxPendingMessages * NearlyFull
            ? HealthCheckResult.Degraded("The IM server's queue of messages that wait for a commit is nearly full.", null, data)
            : HealthCheckResult.Healthy("The IM server takes messages.", data);
    }

    public void Dispose() => _probing.Dispose();

    // A commit's failure stands until a commit or a probe succeeds. Without a probe there is nothing to ask.
    private async Task<Exception?> FindStorageProblemAsync(CancellationToken cancellationToken)
    {
        if (IsFresh() || services.GetService<IStorageProbe>() is not { } probe)
        {
            return null;
        }

        await _probing.WaitAsync(cancellationToken);
        try
        {
            if (IsFresh())
            {
                return null;
            }

            var failure = health.LastFailure;
            using var timeout = new CancellationTokenSource(ProbeTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            await probe.ProbeAsync(either.Token).AsTask().WaitAsync(either.Token);
            health.ProbeSucceeded(failure);
            return null;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            return exception;
        }
        finally
        {
            _probing.Release();
        }
    }

    private bool IsFresh() => health.LastFailure is null && health.SinceSuccess < ProbeAfter;

    private Dictionary<string, object> Describe(int pending)
    {
        var data = new Dictionary<string, object>
        {
            ["node"] = options.Value.NodeName,
            ["connections"] = connections.Count,
            ["pendingMessages"] = pending,
            ["maxPendingMessages"] = options.Value.MaxPendingMessages,
            ["queuedSends"] = queue.State.Rows,
            ["oldestQueuedSendSeconds"] = (long)queue.OldestAge.TotalSeconds,
        };
        if (cluster.MayHavePeers)
        {
            data["epoch"] = cluster.View.Epoch;
            data["nodes"] = string.Join(", ", cluster.View.Nodes.Keys.Order(StringComparer.Ordinal));
            data["sinceProbeMs"] = (long)cluster.SinceProbe.TotalMilliseconds;
        }

        if (health.LastFailure is { } failure)
        {
            data["storageFailure"] = failure.Why;
            data["storageFailureSince"] = failure.Since.ToString("O", CultureInfo.InvariantCulture);
        }

        return data;
    }
}
