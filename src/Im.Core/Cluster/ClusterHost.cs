using Im.Diagnostics;
using Im.Presence;
using Im.Storage;
using Im.Sync;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Im.Cluster;

/// <summary>Starts and ends what connects this node with the others, in the order that loses least.</summary>
internal sealed class ClusterHost(
    IServiceProvider services,
    IBackplane backplane,
    ClusterNode node,
    ClusterState state,
    ClusterSender sender,
    ClusterReceiver receiver,
    ClusterSessions sessions,
    ClusterRequests requests,
    PresenceHost presence,
    EarlyChunks early,
    HeadCheck headCheck,
    ILogger<ClusterHost> logger,
    IHostApplicationLifetime? application = null)
{
    private static readonly TimeSpan ReleaseTimeout = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _giveUp = new();
    private Task _listening = Task.CompletedTask;
    private Task _telling = Task.CompletedTask;
    private Task _removing = Task.CompletedTask;
    private bool _isStarted;

    /// <summary>Takes the node's name on the storage, before anything else is asked of that.</summary>
    public async Task AcquireNameAsync(CancellationToken cancellationToken)
    {
        if (services.GetService<INodeGuard>() is { } guard)
        {
            await guard.AcquireAsync(state.Node.Name, state.Node.InstanceId, Fence, cancellationToken);
        }
    }

    /// <summary>Listens, and joins; before the first connection is accepted.</summary>
    public async Task StartAsync(Func<Task, string, Task> guard, CancellationToken cancellationToken)
    {
        _isStarted = true;
        state.MayHavePeers = backplane is not InMemoryBackplane;
        headCheck.AlsoCompare = CompareAsync;
        await backplane.StartAsync(state.Node.Name, receiver.Receive, cancellationToken);
        _listening = Task.WhenAll(
            guard(receiver.RunAsync(_stopping.Token), "cluster receiver"),
            guard(requests.RunAsync(_stopping.Token), "cluster requests"),
            guard(early.RunAsync(_stopping.Token), "early chunks"));
        presence.Start(guard);
        _telling = guard(sender.RunAsync(_giveUp.Token), "cluster sender");
        _removing = guard(sessions.RunAsync(_giveUp.Token), "session directory");
        await node.JoinAsync(cancellationToken);
        _listening = Task.WhenAll(
            _listening,
            guard(node.RunAsync(_stopping.Token), "cluster lease"),
            guard(sender.ProbeAsync(_stopping.Token), "cluster probe"));
    }

    /// <summary>After the last session has ended: removes them from the directory, sends what waits, and leaves.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_isStarted)
        {
            _isStarted = false;
            await _stopping.CancelAsync();
            await WaitAsync(_listening, cancellationToken);
            sessions.Complete();
            await WaitAsync(_removing, cancellationToken);
            await WaitAsync(presence.StopAsync(cancellationToken), cancellationToken);
            sender.SayHello(isLeaving: true);
            sender.Complete();
            await WaitAsync(_telling, cancellationToken);
            await _giveUp.CancelAsync();
            try
            {
                await node.LeaveAsync(cancellationToken);
                await backplane.StopAsync(cancellationToken);
            }
            finally
            {
                await ReleaseNameAsync();
            }
        }
        else
        {
            await ReleaseNameAsync();
        }
    }

    // Whatever became of the rest: the next process of this name need not wait.
    private async Task ReleaseNameAsync()
    {
        if (services.GetService<INodeGuard>() is { } guard)
        {
            using var timeout = new CancellationTokenSource(ReleaseTimeout);
            await guard.ReleaseAsync(timeout.Token);
        }
    }

    private async Task CompareAsync(CancellationToken cancellationToken)
    {
        if (state.DirectoryFailure is null && await sessions.CompareAsync(cancellationToken) > 0)
        {
            headCheck.CheckEverythingSoon();
        }
    }

    // Another process has the name: two of them would answer each other's devices.
    private void Fence()
    {
        Log.Fenced(logger, state.Node.Name);
        application?.StopApplication();
    }

    private static async Task WaitAsync(Task task, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The shutdown took too long.
        }
    }
}
