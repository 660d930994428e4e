using Im.Connections;
using Im.Diagnostics;
using Im.Storage;
using Im.Sync;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Cluster;

/// <summary>The node's life in the cluster: it joins, keeps its lease, takes a new epoch where it lost it, clears away after the dead, and leaves.</summary>
/// <remarks>
/// <code>
///  JOINED ──renewed──▶ JOINED ──lost / too late / directory empty──▶ REJOINING (new epoch, all sessions registered again, heads checked) ──▶ JOINED
///     └──directory away──▶ goes on alone; health says degraded ──back──▶ renew or rejoin
///     └──another process holds the name──▶ this one stops
/// </code>
/// One loop owns the lease; the view that it publishes is read by everybody.
/// </remarks>
internal sealed class ClusterNode(
    ISessionDirectory directory,
    ClusterState state,
    ClusterSessions clusterSessions,
    ClusterSender sender,
    HeadCheck headCheck,
    TimeProvider time,
    IServiceProvider services,
    ImMetrics metrics,
    IOptions<ImClusterOptions> options,
    ILogger<ClusterNode> logger,
    IHostApplicationLifetime? application = null)
{
    private static readonly TimeSpan JoinRetry = TimeSpan.FromMilliseconds(250);

    private readonly ImClusterOptions _options = options.Value;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private long _renewedAt;
    private long _reapedAt;
    private Task _reaping = Task.CompletedTask;
    private long? _refusedAt;

    /// <summary>
    /// Joins before the first connection is accepted. A name that another process holds is waited for as long as a lease lasts: it may be this node's
    /// own, from before a crash.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another living process has the name.</exception>
    public async Task JoinAsync(CancellationToken cancellationToken)
    {
        sender.Introduced = Wake;
        var waitedSince = time.GetTimestamp();
        while (true)
        {
            try
            {
                var joined = await directory.JoinAsync(state.Node, _options.LeaseDuration, cancellationToken);
                if (joined.IsAccepted)
                {
                    await EnterAsync(joined.Epoch, cancellationToken);
                    break;
                }

                if (time.GetElapsedTime(waitedSince) > _options.LeaseDuration + _options.RenewInterval)
                {
                    throw new InvalidOperationException(
                        $"Another living process is the node \"{state.Node.Name}\" of this cluster. Give each process a name of its own: set ImServerOptions.NodeName.");
                }

                Log.WaitingForName(logger, state.Node.Name);
            }
            catch (ImClusterException exception)
            {
                // The lease loop goes on trying. What one node can do alone, it does.
                DirectoryFailed(exception);
                break;
            }

            // By the real clock: the lease runs out by the directory's.
            await Task.Delay(JoinRetry, cancellationToken);
        }
    }

    /// <summary>Keeps the lease until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await WaitAsync(cancellationToken);
            await TryKeepAsync(cancellationToken);

            // Others may have committed something after this node joined and before they knew of it.
            headCheck.CheckEverythingSoon();
            while (true)
            {
                await WaitAsync(cancellationToken);
                await TryKeepAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown.
        }

        await _reaping;
    }

    /// <summary>Gives the lease back, after the sessions have ended.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (state.View.Epoch != 0)
            {
                await directory.LeaveAsync(state.Node.Name, state.View.Epoch, cancellationToken);
            }
        }
        catch (ImClusterException exception)
        {
            Log.DirectoryFailed(logger, exception);
        }
    }

    /// <summary>Looks at once who lives.</summary>
    public void Wake()
    {
        if (_wake.CurrentCount == 0)
        {
            try
            {
                _wake.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else was as fast.
            }
        }
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tick = Task.Delay(_options.RenewInterval, time, either.Token);
        var wake = _wake.WaitAsync(either.Token);
        await Task.WhenAny(tick, wake);
        await either.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task TryKeepAsync(CancellationToken cancellationToken)
    {
        try
        {
            await KeepAsync(cancellationToken);
        }
        catch (ImClusterException exception)
        {
            DirectoryFailed(exception);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            metrics.ClusterFailure("lease");
            Log.LeaseFailed(logger, exception);
        }
    }

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        // A process that stood still longer than its lease must not trust it, whatever the directory says: also where it stood still in the call.
        var now = time.GetTimestamp();
        var isLate = time.GetElapsedTime(_renewedAt, now) > _options.LeaseDuration;
        var epoch = state.View.Epoch;
        var live = epoch == 0 || isLate || clusterSessions.NeedsNewEpoch
            ? null
            : await directory.RenewAsync(state.Node, epoch, _options.LeaseDuration, cancellationToken);
        if (live is null)
        {
            await RejoinAsync(cancellationToken);
            return;
        }

        _renewedAt = now;
        SetView(epoch, live);
        if (state.DirectoryFailure is not null)
        {
            DirectoryIsBack();
        }

        if (await clusterSessions.RegisterMissingAsync(cancellationToken) > 0)
        {
            // Nobody could find them until now.
            headCheck.CheckEverythingSoon();
        }

        BeginReaping(cancellationToken);
    }

    private async Task RejoinAsync(CancellationToken cancellationToken)
    {
        state.BeginRejoin();
        try
        {
            var before = state.View.Epoch;
            var needed = clusterSessions.TakeNeedsNewEpoch();
            try
            {
                var joined = await directory.JoinAsync(state.Node, _options.LeaseDuration, cancellationToken);
                if (!joined.IsAccepted)
                {
                    Refused();
                    return;
                }

                _refusedAt = null;
                await EnterAsync(joined.Epoch, cancellationToken);
                needed = false;
            }
            finally
            {
                if (needed)
                {
                    clusterSessions.NeedNewEpoch();
                }
            }

            Log.Rejoined(logger, state.Node.Name, state.View.Epoch);
            metrics.ClusterRejoined();
            await clusterSessions.RegisterAllAsync(cancellationToken);
            headCheck.CheckEverythingSoon();
            await RemoveFormerAsync(before, cancellationToken);
        }
        finally
        {
            state.EndRejoin();
        }
    }

    // Who has not joined yet may meet the lease of its own life before a crash: that is waited for. Who had the name has lost it to another process.
    private void Refused()
    {
        _refusedAt ??= time.GetTimestamp();
        if (state.View.Epoch == 0 && time.GetElapsedTime(_refusedAt.Value) <= _options.LeaseDuration + _options.RenewInterval)
        {
            Log.WaitingForName(logger, state.Node.Name);
            return;
        }

        Log.Fenced(logger, state.Node.Name);
        application?.StopApplication();
    }

    // Entries of former epochs whose sessions ended while that could not be told; they are void, but would be counted among their users' sessions.
    private async Task RemoveFormerAsync(long epoch, CancellationToken cancellationToken)
    {
        if (epoch != 0)
        {
            await RemoveAsync(new LiveNode(state.Node, epoch, 0), cancellationToken);
        }
    }

    // What a step has removed is told before the next one, which may fail.
    private async Task<int> RemoveAsync(LiveNode node, CancellationToken cancellationToken)
    {
        var count = 0;
        await foreach (var removed in directory.RemoveNodeAsync(node, cancellationToken))
        {
            foreach (var (session, removal) in removed)
            {
                clusterSessions.Reaped(session, removal);
            }

            count += removed.Count;
        }

        return count;
    }

    private async Task EnterAsync(long epoch, CancellationToken cancellationToken)
    {
        _renewedAt = time.GetTimestamp();
        sender.EpochChanged(epoch);
        var live = await directory.RenewAsync(state.Node, epoch, _options.LeaseDuration, cancellationToken) ?? [];
        state.View = ClusterView.Of(epoch, live);
        DirectoryIsBack();
        sender.SayHello();
    }

    private void SetView(long epoch, IReadOnlyList<LiveNode> live)
    {
        var before = state.View;
        state.View = ClusterView.Of(epoch, live);
        foreach (var node in live.Where(node => !before.Nodes.TryGetValue(node.Name, out var known) || known.Epoch != node.Epoch))
        {
            Log.NodeJoined(logger, node.Name, node.Epoch);
        }

        foreach (var node in before.Nodes.Values.Where(node => !state.View.Nodes.ContainsKey(node.Name)))
        {
            Log.NodeGone(logger, node.Name, node.Epoch);
        }
    }

    // Beside the lease: a database that is slow or stands still, or very many entries of the dead, must not cost this node its own.
    private void BeginReaping(CancellationToken cancellationToken)
    {
        if (_reaping.IsCompleted && time.GetElapsedTime(_reapedAt) >= _options.LeaseDuration / 4)
        {
            _reapedAt = time.GetTimestamp();
            _reaping = TryReapAsync(cancellationToken);
        }
    }

    private async Task TryReapAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ReapAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown; another node goes on.
        }
        catch (ImClusterException)
        {
            // The lease loop says so; the next time it goes on.
            metrics.ClusterFailure("directory");
        }
        catch (Exception exception)
        {
            metrics.ClusterFailure("lease");
            Log.LeaseFailed(logger, exception);
        }
    }

    private async Task ReapAsync(CancellationToken cancellationToken)
    {
        foreach (var dead in await directory.FindDeadNodesAsync(state.Node, _options.LeaseDuration, cancellationToken))
        {
            if (dead.Description.InstanceId == state.Node.InstanceId)
            {
                // This node itself has lost its lease a moment ago: it joins again, and its sessions live.
                continue;
            }

            await EndConnectionsAsync(dead, cancellationToken);
            var removed = await RemoveAsync(dead, cancellationToken);
            Log.Reaped(logger, dead.Name, dead.Epoch, removed);
        }
    }

    // First of all: an open transaction of a node that stands still holds up everybody.
    private async Task EndConnectionsAsync(LiveNode dead, CancellationToken cancellationToken)
    {
        if (services.GetService<INodeGuard>() is not { } guard)
        {
            return;
        }

        try
        {
            await guard.EndNodeConnectionsAsync(dead.Name, dead.Description.InstanceId, cancellationToken);
        }
        catch (ImStorageException exception)
        {
            Log.ConnectionsNotEnded(logger, dead.Name, exception);
        }
    }

    private void DirectoryFailed(ImClusterException exception)
    {
        metrics.ClusterFailure("directory");
        if (state.DirectoryFailure is null)
        {
            Log.DirectoryFailed(logger, exception);
        }

        state.DirectoryFailure = exception;
    }

    private void DirectoryIsBack()
    {
        if (state.DirectoryFailure is not null)
        {
            Log.DirectoryIsBack(logger);
        }

        state.DirectoryFailure = null;
    }
}
