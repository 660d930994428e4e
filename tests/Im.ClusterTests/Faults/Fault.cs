using Im.ClusterTests.Cluster;

namespace Im.ClusterTests.Faults;

/// <summary>Something that goes wrong, and is over when the task ends. What follows, nobody does anything about.</summary>
internal sealed record Fault(string Name, Func<TestCluster, Random, Task> InjectAsync)
{
    private static readonly TimeSpan LongerThanLease = TestCluster.Lease + TimeSpan.FromSeconds(1.5);

    /// <summary>Each of them once.</summary>
    /// <param name="redisPause">How long Redis stands still.</param>
    public static IReadOnlyList<Fault> All(TimeSpan redisPause) =>
    [
        new("Redis killed, started again empty after 1 s", RestartRedisAsync),
        new($"Redis frozen for {redisPause.TotalSeconds:0} s, longer than the lease", (cluster, _) => FreezeRedisAsync(cluster, redisPause)),
        new("Pub/sub connections cut 5 times, commands work", CutPubSubAsync),
        new("A node killed and started again under its name", KillNodeAsync),
        new("A node frozen for longer than its lease, then resumed", FreezeNodeAsync),
        new("A node drained (SIGTERM) and started again", DrainNodeAsync),
        new("MariaDB killed and started again", RestartMariaDbAsync),
    ];

    private static async Task RestartRedisAsync(TestCluster cluster, Random random)
    {
        await cluster.Redis.KillAsync();
        await Task.Delay(1000);
        await cluster.Redis.RestartAsync();
    }

    private static async Task FreezeRedisAsync(TestCluster cluster, TimeSpan pause)
    {
        cluster.Redis.Freeze();
        await Task.Delay(pause);
        cluster.Redis.Thaw();
    }

    private static async Task CutPubSubAsync(TestCluster cluster, Random random)
    {
        for (var i = 0; i < 5; i++)
        {
            await RedisCli.AskAsync(cluster.Redis, "CLIENT", "KILL", "TYPE", "pubsub");
            await Task.Delay(random.Next(100, 300));
        }
    }

    private static async Task KillNodeAsync(TestCluster cluster, Random random)
    {
        var node = Pick(cluster, random);
        await node.KillAsync();
        await node.RestartAsync();
    }

    private static async Task DrainNodeAsync(TestCluster cluster, Random random) => await Pick(cluster, random).RestartAsync();

    private static async Task FreezeNodeAsync(TestCluster cluster, Random random)
    {
        var node = Pick(cluster, random);
        await OpenTransactions.FreezeInOneAsync(cluster, node);
        await Task.Delay(LongerThanLease);
        node.Thaw();
    }

    private static async Task RestartMariaDbAsync(TestCluster cluster, Random random)
    {
        await cluster.MariaDb.KillAsync();
        await Task.Delay(500);
        await cluster.MariaDb.RestartAsync();
    }

    private static NodeProcess Pick(TestCluster cluster, Random random) => cluster.Nodes[random.Next(cluster.Nodes.Count)];
}
