using Im.LocalServers;
using Im.Storage.Redis.Tests.Support;
using Im.Testing.Specification;
using StackExchange.Redis;

namespace Im.Storage.Redis.Tests;

/// <summary>A server in cluster mode refuses a script whose keys are in different slots: one node of it is enough to see that ours are not.</summary>
public sealed class ClusterModeFixture : RedisClusterFixture
{
    protected override string[] Arguments => ["--cluster-enabled", "yes"];

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await RunAsync("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
        await Poll.UntilAsync(async () => ((string)(await RunAsync("CLUSTER", "INFO"))!).Contains("cluster_state:ok", StringComparison.Ordinal), "the cluster is up");
    }
}

public sealed class ClusterModeDirectoryTests(ClusterModeFixture fixture) : SessionDirectorySpecification(fixture), IClassFixture<ClusterModeFixture>;

public sealed class ClusterModeBackplaneTests(ClusterModeFixture fixture) : BackplaneSpecification(fixture), IClassFixture<ClusterModeFixture>;

public sealed class ClusterModeMembersTests(ClusterModeFixture fixture) : GroupMemberCacheSpecification(fixture), IClassFixture<ClusterModeFixture>;

public sealed class ClusterModeRoomTests(ClusterModeFixture fixture) : RoomStoreSpecification(fixture), IClassFixture<ClusterModeFixture>
{
    [Fact]
    public async Task ItIsAClusterAndRefusesKeysOfTwoSlots()
    {
        var cluster = (ClusterModeFixture)Fixture;
        await Assert.ThrowsAnyAsync<RedisException>(() => cluster.RunAsync("EVAL", "return redis.call('MGET', KEYS[1], KEYS[2])", "2", "a", "b"));
    }
}
