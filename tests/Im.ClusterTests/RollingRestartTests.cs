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
        using var stop = new CancellationTokenSource();
        var sending = driver.RunAsync(200, stop.Token);
        foreach (var node in cluster.Nodes)
        {
            var window = interruptions.Begin($"{node.Name} drained and started again");
            var began = Stopwatch.GetTimestamp();
            await node.StopAsync();
            await Wait.UntilAsync(() => world.Devices.All(device => device.Client.State == ImClientState.Connected), "Devices are not connected.");
            window.Calm = Stopwatch.GetElapsedTime(began);
            AssertSpread(node.Name, began, world);
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

    // Half of the devices at least were on the node. The waits that the node tells are random over its window: when the first attempts to connect again
    // begin, neither all at once nor all at the window's end.
    private void AssertSpread(string node, long began, World world)
    {
        var tries = world.Devices.Select(device => device.Attempts.Where(at => at > began).Order().FirstOrDefault()).Where(at => at != 0).Order()
            .Select(at => Stopwatch.GetElapsedTime(began, at)).ToArray();
        output.WriteLine($"{node}: {tries.Length} devices, {tries[0].TotalSeconds:0.00} to {tries[^1].TotalSeconds:0.00} s after SIGTERM.");
        Assert.True(tries.Length >= 20, $"{tries.Length} reconnects.");
        Assert.True(tries[^1] - tries[0] > Spread / 2, $"{tries.Length} reconnects within {tries[^1] - tries[0]}.");
        Assert.True(tries[^1] - tries[0] < Spread + TimeSpan.FromSeconds(3), $"The last one came {tries[^1] - tries[0]} after the first.");
        var busiest = tries.Max(from => tries.Count(at => at >= from && at < from + (Spread / 4)));
        Assert.True(busiest <= tries.Length * 0.7, $"{busiest} of {tries.Length} within a quarter of the window.");
    }
}
