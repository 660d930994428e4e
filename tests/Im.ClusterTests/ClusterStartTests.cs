using Im.ClusterTests.Cluster;
using Im.ClusterTests.Load;
using Xunit.Abstractions;

namespace Im.ClusterTests;

/// <summary>What three nodes do when nothing goes wrong.</summary>
public sealed class ClusterStartTests(ITestOutputHelper output)
{
    [Fact(Timeout = 120_000)]
    public async Task EveryDeviceOfEveryNodeGetsEveryMessageOnceAndInOrder()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await cluster.WhenHealthyAsync();
        var (problems, interruptions) = (new Problems(), new Interruptions());
        var book = new MessageBook(1000, problems);
        await using var world = await World.CreateAsync(cluster, 30, new Random(1), book, problems, interruptions);
        var driver = new LoadDriver(world, book, problems, interruptions, 1);
        var window = interruptions.Begin("none");
        await driver.RunAsync(500, CancellationToken.None);
        try
        {
            await driver.WhenSettledAsync(TimeSpan.FromSeconds(30));
        }
        catch
        {
            cluster.Nodes.ForEach(node => output.WriteLine($"--- {node.Name}\n{node.Log}"));
            problems.AssertNone();
            throw;
        }

        await Verification.RunAsync(cluster, world, book, problems);
        output.WriteLine(interruptions.Describe());

        // Live, not by the head check that comes every 40 seconds.
        Assert.True(window.DeliveryTicks < TimeSpan.FromSeconds(5).Ticks, $"{TimeSpan.FromTicks(window.DeliveryTicks)}");
    }
}
