using System.Diagnostics;
using Im.Cluster;
using Im.Testing.Internal;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Testing;

/// <summary>One server of a test host's cluster.</summary>
public sealed class ImTestNode
{
    private static readonly TimeSpan RealStep = TimeSpan.FromMilliseconds(5);

    private readonly Func<string, Task<TestNode>> _start;
    private TestNode? _running;

    internal ImTestNode(string name, Func<string, Task<TestNode>> start)
    {
        Name = name;
        _start = start;
    }

    /// <summary>Its name in the cluster.</summary>
    public string Name { get; }

    /// <summary>The server as the host's own code sees it. After a restart it is another one.</summary>
    public IImServer Server => Services.GetRequiredService<IImServer>();

    /// <summary>The server's services. After a restart they are others.</summary>
    public IServiceProvider Services => Running.Services;

    private TestNode Running => _running ?? throw new InvalidOperationException($"The node {Name} is stopped.");

    internal void Attach(ImTestDevice device) => device.Network.Attach(Running.Transport);

    internal async Task StartAsync() => _running = await _start(Name).ConfigureAwait(false);

    internal async Task StopAsync()
    {
        if (_running is { } running)
        {
            _running = null;
            await running.DisposeAsync().ConfigureAwait(false);
        }
    }

    // Until it knows so many nodes.
    internal async Task WaitForAsync(int count, TimeSpan limit)
    {
        var state = Services.GetRequiredService<ClusterState>();
        var since = Stopwatch.GetTimestamp();
        while (state.View.Nodes.Count < count)
        {
            if (Stopwatch.GetElapsedTime(since) > limit)
            {
                throw new TimeoutException($"The node {Name} knows {state.View.Nodes.Count} of {count} nodes.");
            }

            await Task.Delay(RealStep).ConfigureAwait(false);
        }
    }
}
