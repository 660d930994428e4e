using Im.Testing.Specification;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Storage.Sqlite;

internal static class ServiceProviderExtensions
{
    /// <summary>What a server does at its start.</summary>
    public static async Task InitializeAsync(this ServiceProvider services)
    {
        foreach (var initializer in services.GetServices<IStorageInitializer>())
        {
            await initializer.InitializeAsync(CancellationToken.None).Soon();
        }
    }

    public static StoreSet GetStores(this ServiceProvider services) => new(
        services.GetRequiredService<IMessageStore>(),
        services.GetRequiredService<IGroupStore>(),
        services.GetRequiredService<IConversationStore>(),
        services.GetRequiredService<IDeviceStore>())
    {
        Retention = services.GetRequiredService<IRetentionStore>(),
        UserData = services.GetRequiredService<IUserDataStore>(),
        SendQueue = services.GetRequiredService<ISendQueue>(),
        Probe = services.GetRequiredService<IStorageProbe>(),
    };
}
