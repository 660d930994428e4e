using Im.Cluster;
using Im.Cluster.InMemory;
using Im.Cluster.InMemory;
using Im.Rooms.InMemory;
using Im.Testing.Specification;

namespace Im.Core.Tests.Cluster;

/// <summary>Nodes that share what is in this process.</summary>
public sealed class InMemoryClusterFixture : IClusterFixture
{
    private const int MaxMembers = 100_000;

    private InMemoryCluster _cluster = new();
    private InMemoryRooms _rooms = new(TimeProvider.System);
    private InMemoryGroupMemberCache _members = new(MaxMembers);
    private InMemoryGroupMemberCache _members = new(capacity: 100_000);

    public ValueTask<ClusterNodeParts> CreateNodeAsync() =>
        new(new ClusterNodeParts(new InMemorySessionDirectory(_cluster), new InMemoryBackplane(_cluster), new InMemoryRoomStore(_rooms), _members));

    public ValueTask CloseAsync(ClusterNodeParts node) => node.Backplane!.StopAsync(default);

    public ValueTask ResetAsync()
    {
        _cluster = new InMemoryCluster();
        _rooms = new InMemoryRooms(TimeProvider.System);
        _members = new InMemoryGroupMemberCache(capacity: 100_000);
        return default;
    }
}

public sealed class InMemorySessionDirectoryTests(InMemoryClusterFixture fixture)
    : SessionDirectorySpecification(fixture), IClassFixture<InMemoryClusterFixture>;

public sealed class InMemoryBackplaneTests(InMemoryClusterFixture fixture) : BackplaneSpecification(fixture), IClassFixture<InMemoryClusterFixture>;

public sealed class InMemoryRoomStoreTests(InMemoryClusterFixture fixture) : RoomStoreSpecification(fixture), IClassFixture<InMemoryClusterFixture>;

public sealed class InMemoryGroupMemberCacheSuite(InMemoryClusterFixture fixture)
    : GroupMemberCacheSpecification(fixture), IClassFixture<InMemoryClusterFixture>;

public sealed class InMemoryGroupMemberCacheSuite(InMemoryClusterFixture fixture)
    : GroupMemberCacheSpecification(fixture), IClassFixture<InMemoryClusterFixture>;
