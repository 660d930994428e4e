using Im.Storage.Redis.Tests.Support;
using Im.Testing.Specification;
using Im.Timelines;

namespace Im.Storage.Redis.Tests.Suites;

public sealed class RedisSessionDirectoryTests(RedisClusterFixture fixture) : SessionDirectorySpecification(fixture), IClassFixture<RedisClusterFixture>;

public sealed class RedisBackplaneTests(RedisClusterFixture fixture) : BackplaneSpecification(fixture), IClassFixture<RedisClusterFixture>;

public sealed class RedisGroupMemberCacheTests(RedisClusterFixture fixture) : GroupMemberCacheSpecification(fixture), IClassFixture<RedisClusterFixture>;

public sealed class RedisRoomStoreTests(RedisClusterFixture fixture) : RoomStoreSpecification(fixture), IClassFixture<RedisClusterFixture>;

public sealed class RedisSequenceAllocatorTests(RedisFixture redis) : SequenceAllocatorSpecification, IClassFixture<RedisFixture>, IAsyncLifetime
{
    private readonly List<RedisNode> _nodes = [];

    public Task InitializeAsync() => redis.RunAsync("FLUSHALL");

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
    }

    protected override ValueTask<ISequenceAllocator> CreateAsync()
    {
        var node = new RedisNode(redis.Server.ConnectionString);
        _nodes.Add(node);
        return new(node.Allocator);
    }
}
