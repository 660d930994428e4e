using System.Collections.Concurrent;
using System.Diagnostics;
using Im.Client;
using Im.ClusterTests.Cluster;
using Im.ClusterTests.Load;
using Xunit.Abstractions;

namespace Im.ClusterTests;

/// <summary>A new version comes in without anybody noticing more than a reconnection.</summary>
public sealed class RollingRestartTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Spread = TimeSpan.FromSeconds(2);

    [Fact(Timeout = 120_000)]
    public async Task BothNodesRestartOneAfterTheOtherUnderLoadAndNothingFailsOrIsLost()
    {
        await using var cluster = await TestCluster.StartAsync(2, _ => ["--Im:ReconnectSpread", $"{Spread}"]);
        await cluster.WhenHealthyAsync();
        var (problems, interruptions) = (new Problems(), new Interruptions());
        var book = new MessageBook(20_000, problems);
        await using var world = await World.CreateAsync(cluster, 60, new Random(3), book, problems, interruptions);
        var driver = new LoadDriver(world, book, problems, interruptions, 3);
        var backs = new ConcurrentQueue<long>();
        foreach (var device in world.Devices)
        {
            device.Client.StateChanged += (_, change) =>
            {
                if (change.State == ImClientState.Connected)
                {
                    backs.Enqueue(Stopwatch.GetTimestamp());
                }
            };
        }

        using var stop = new CancellationTokenSource();
        var sending = driver.RunAsync(200, stop.Token);
        foreach (var node in cluster.Nodes)
        {
            var window = interruptions.Begin($"{node.Name} drained and started again");
            backs.Clear();
            var began = Stopwatch.GetTimestamp();
            await node.StopAsync();
            await Wait.UntilAsync(() => world.Devices.All(device => device.Client.State == ImClientState.Connected), "Devices are not connected.");
            window.Calm = Stopwatch.GetElapsedTime(began);
            AssertSpread(node.Name, [.. backs.Order().Select(at => Stopwatch.GetElapsedTime(began, at))]);
            await node.RestartAsync();
            await cluster.WhenHealthyAsync();
        }

        await stop.CancelAsync();
        await sending.WaitAsync(TimeSpan.FromSeconds(10));
        await driver.WhenSettledAsync(TimeSpan.FromSeconds(30));

        // A send that failed is a problem, too: the client library repairs them all.
        await Verification.RunAsync(cluster, world, book, problems);
        output.WriteLine($"{book.Sent} messages.\n{interruptions.Describe()}");
    }

    // Half of the devices at least were on the node. Random over the window: neither all at once nor all at its end.
    private void AssertSpread(string node, TimeSpan[] backs)
    {
        output.WriteLine($"{node}: {backs.Length} reconnects, {backs[0].TotalSeconds:0.00} to {backs[^1].TotalSeconds:0.00} s after SIGTERM.");
        Assert.True(backs.Length >= 20, $"{backs.Length} reconnects.");
        Assert.True(backs[^1] - backs[0] > Spread / 2, $"{backs.Length} reconnects within {backs[^1] - backs[0]}.");
        Assert.True(backs[^1] < Spread + TimeSpan.FromSeconds(8), $"The last one came after {backs[^1]}.");
        var busiest = backs.Max(from => backs.Count(at => at >= from && at < from + (Spread / 4)));
        Assert.True(busiest <= backs.Length * 0.7, $"{busiest} of {backs.Length} within a quarter of the window.");
    }
}
