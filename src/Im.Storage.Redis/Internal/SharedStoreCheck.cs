using Microsoft.Extensions.DependencyInjection;

namespace Im.Storage.Redis.Internal;

/// <summary>Refuses nodes that would meet without sharing a store: what one of them stores the others would never see.</summary>
internal sealed class SharedStoreCheck(IServiceProvider services) : IStorageInitializer
{
    public ValueTask InitializeAsync(CancellationToken cancellationToken) =>
        services.GetService<INodeGuard>() is not null
            ? ValueTask.CompletedTask
            : throw new InvalidOperationException(
                "UseRedis makes this server one of several nodes, and its store is for one process only (in memory, SQLite): nodes would not see each other's messages. "
                + "Use a store that all nodes share, for example .UseMySql(dataSource), or leave .UseRedis(…) out.");
}
