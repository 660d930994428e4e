using Im.Cluster;
using Im.Rooms.InMemory;
using Im.Testing.Specification;

namespace Im.Core.Tests.Cluster;

/// <summary>Nodes that share what is in this process.</summary>
public sealed class InMemoryClusterFixture : IClusterFixture
{
    private InMemoryCluster _cluster = new();
    private InMemoryRooms _rooms = new(TimeProvider.System);

    public ValueTask<ClusterNodeParts> CreateNodeAsync() =>
        new(new ClusterNodeParts(new InMemorySessionDirectory(_cluster), new InMemoryBackplane(_cluster), new InMemoryRoomStore(_rooms)));

    public ValueTask CloseAsync(ClusterNodeParts node) => node.Backplane!.StopAsync(default);

    public ValueTask ResetAsync()
    {
        _cluster = new InMemoryCluster();
        _rooms = new InMemoryRooms(TimeProvider.System);
        return default;
    }
}

public sealed class InMemorySessionDirectoryTests(InMemoryClusterFixture fixture)
    : SessionDirectorySpecification(fixture), IClassFixture<InMemoryClusterFixture>;

public sealed class InMemoryBackplaneTests(InMemoryClusterFixture fixture) : BackplaneSpecification(fixture), IClassFixture<InMemoryClusterFixture>;

public sealed class InMemoryRoomStoreTests(InMemoryClusterFixture fixture) : RoomStoreSpecification(fixture), IClassFixture<InMemoryClusterFixture>;
