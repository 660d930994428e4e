using Im.Cluster;
using Im.Rooms;
using Im.Storage.Redis.Internal;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Storage.Redis.Tests.Support;

/// <summary>What <c>UseRedis</c> registers, as one node has it; without the server around it.</summary>
public sealed class RedisNode : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public RedisNode(string configuration, Action<ImRedisOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        new Builder(services).UseRedis(configuration, configure);
        _services = services.BuildServiceProvider();
    }

    public IServiceProvider Services => _services;

    public ISessionDirectory Directory => _services.GetRequiredService<ISessionDirectory>();

    public IBackplane Backplane => _services.GetRequiredService<IBackplane>();

    public IRoomStore Rooms => _services.GetRequiredService<IRoomStore>();

    public IGroupMemberCache Members => _services.GetRequiredService<IGroupMemberCache>();

    public ISequenceAllocator Allocator => _services.GetRequiredService<ISequenceAllocator>();

    internal RedisConnection Connection => _services.GetRequiredService<RedisConnection>();

    internal RedisKeys Keys => _services.GetRequiredService<RedisKeys>();

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private sealed record Builder(IServiceCollection Services) : IImServerBuilder;
}
