using Im.ClusterTests.Cluster;
using Im.ClusterTests.Load;

namespace Im.ClusterTests;

/// <summary>Nodes that find no Redis.</summary>
public sealed class RedisDownAtStartTests
{
    [Fact(Timeout = 60_000)]
    public async Task NodesStartAndServeAloneAndJoinWhenRedisIsThere()
    {
        await using var cluster = await TestCluster.StartAsync(2, startRedis: false);
        var (one, two) = (cluster.Nodes[0], cluster.Nodes[1]);
        Assert.Equal("Degraded", (await one.GetHealthAsync()).Status);
        await using var alice = await Person.ConnectAsync("alice", "d", one);
        await using var carol = await Person.ConnectAsync("carol", "d", one);
        await using var bob = await Person.ConnectAsync("bob", "d", two);
        await alice.SayAsync(carol, "here");
        await carol.HearAsync("here", 5);

        // The other node finds it in the store, by its head check.
        await alice.SayAsync(bob, "there");
        await bob.HearAsync("there", 10);

        await cluster.Redis.RestartAsync();
        await cluster.WhenHealthyAsync();
        await alice.SayAsync(bob, "live");
        await bob.HearAsync("live", 3);
        bob.AssertHeardEachOnce();
    }
}
