using Im.Cluster;
using Im.Connections;
using Im.Diagnostics;
using Im.Messaging;
using Im.Messaging.Queue;
using Im.Protocol;
using Im.Rooms;
using Im.Storage;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im;

/// <summary>The server's life inside its host: check, initialise, accept; and back: stop accepting, tell clients, finish commits, close.</summary>
/// <remarks>
/// Draining begins in <see cref="StoppingAsync"/>, before any hosted service stops: the host's web server would otherwise wait for the connections
/// that only the drain ends.
/// </remarks>
internal sealed class ImServerHost(
    IServiceProvider services,
    IEnumerable<IImTransport> transports,
    IEnumerable<IStorageInitializer> initializers,
    IMessageStore store,
    ConnectionRegistry connections,
    Committer committer,
    AfterCommit afterCommit,
    IEnumerable<IServerLoop> loops,
    ClusterHost cluster,
    SendQueue sendQueue,
    RoomRegistry rooms,
    ServerLifetime lifetime,
    TimeProvider time,
    IOptions<ImServerOptions> options,
    ILogger<ImServerHost> logger,
    IHostApplicationLifetime? application = null) : IHostedLifecycleService
{
    private static readonly TimeSpan DrainPoll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(3);

    private readonly IImTransport[] _transports = [.. transports];
    private readonly ImServerOptions _options = options.Value;
    private readonly List<IImTransport> _started = [];
    private readonly CancellationTokenSource _giveUp = new();
    private Task _committing = Task.CompletedTask;
    private Task _telling = Task.CompletedTask;
    private Task _background = Task.CompletedTask;
    private bool _isDrained;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        CheckRequirements();
        return Task.CompletedTask;
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await cluster.AcquireNameAsync(cancellationToken);
        try
        {
            await StartAllAsync(cancellationToken);
        }
        catch
        {
            // A host whose start failed does not stop what has started.
            await StopAsync(CancellationToken.None);
            throw;
        }
    }

    private async Task StartAllAsync(CancellationToken cancellationToken)
    {
        foreach (var initializer in initializers)
        {
            await initializer.InitializeAsync(cancellationToken);
        }

        await rooms.StartAsync(cancellationToken);
        var generation = await store.GetGenerationAsync(cancellationToken);
        committer.StartAfter(await store.GetLastBatchNumberAsync(_options.NodeName, cancellationToken));
        await sendQueue.StartAsync(cancellationToken);
        _committing = GuardAsync(committer.RunAsync(_giveUp.Token), "committer");
        _telling = GuardAsync(afterCommit.RunAsync(_giveUp.Token), "after-commit loop");
        _background = Task.WhenAll(
            [.. loops.Select(loop => GuardAsync(loop.RunAsync(lifetime.Stopping), loop.Name)), GuardAsync(sendQueue.RunAsync(lifetime.Stopping, _giveUp.Token), "send queue")]);
        await cluster.StartAsync(GuardAsync, cancellationToken);
        foreach (var transport in _transports)
        {
            await transport.StartAsync(connections, cancellationToken);
            _started.Add(transport);
        }

        Log.Started(logger, _options.NodeName, string.Join(", ", _transports.Select(transport => transport.Name)), generation);
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (_isDrained)
        {
            return;
        }

        _isDrained = true;
        connections.StopAccepting();
        Log.Draining(logger, _options.NodeName, connections.Count);
        foreach (var transport in _started)
        {
            await transport.StopAcceptingAsync(cancellationToken);
        }

        using var timeout = new CancellationTokenSource(_options.DrainTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);

        // Commits first, so that their acks stand in front of the Close packets.
        committer.Complete();
        await WaitAsync(_committing, either.Token);
        foreach (var connection in connections.All)
        {
            connection.Close(ImCloseCode.Shutdown, "The server is shutting down; reconnect.", connections.RandomDelay());
        }

        afterCommit.Complete();
        await WaitAsync(_telling, either.Token);
        while (connections.Count > 0 && !either.IsCancellationRequested)
        {
            await WaitAsync(Task.Delay(DrainPoll, time, CancellationToken.None), either.Token);
        }

        if (connections.Count > 0)
        {
            Log.DrainTimedOut(logger, _options.DrainTimeout, connections.Count);
        }

        // Here and not in StopAsync: the web server stops before that, and waits for the connections that are cut here.
        foreach (var transport in _started)
        {
            await transport.StopAsync(cancellationToken);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // A host that does not know lifecycle services only calls this.
        await StoppingAsync(cancellationToken);
        lifetime.Stop();
        await _giveUp.CancelAsync();
        using var timeout = new CancellationTokenSource(LeaveTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        await TryLeaveAsync(either.Token);
        await Task.WhenAll(_committing, _telling, _background).WaitAsync(cancellationToken);
        Log.Stopped(logger, _options.NodeName);
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void CheckRequirements()
    {
        if (services.GetService<IServiceProviderIsService>()?.IsService(typeof(IUserProvider)) == false)
        {
            throw new InvalidOperationException(
                "The IM server has no IUserProvider, so it does not know who your users are. Write a class that implements Im.Users.IUserProvider and add the line: "
                + "builder.Services.AddImServer().AddUserProvider<MyUserProvider>();");
        }
    }

    // What cannot be told any more is found by the others: by their head checks, and when the lease has run out.
    private async Task TryLeaveAsync(CancellationToken cancellationToken)
    {
        try
        {
            await cluster.StopAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            Log.LeaveFailed(logger, exception);
        }
    }

    // A server without one of its loops would take messages and answer nothing: better to stop and be started again.
    private async Task GuardAsync(Task loop, string name)
    {
        try
        {
            await loop;
        }
        catch (Exception exception)
        {
            Log.LoopFailed(logger, name, exception);
            application?.StopApplication();
        }
    }

    private static async Task WaitAsync(Task task, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The drain took too long.
        }
    }
}
