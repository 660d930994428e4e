using System.Data.Common;
using Im.Testing.Specification;
using Microsoft.Extensions.DependencyInjection;
using MySql.Data.MySqlClient;

namespace Im.Storage.MySql.Tests.Support;

/// <summary>The stores of one node, made by the verb that hosts call.</summary>
public sealed class MySqlStores : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private MySqlStores(ServiceProvider services)
    {
        _services = services;
        Set = new StoreSet(
            services.GetRequiredService<IMessageStore>(),
            services.GetRequiredService<IGroupStore>(),
            services.GetRequiredService<IConversationStore>(),
            services.GetRequiredService<IDeviceStore>())
        {
            Retention = services.GetService<IRetentionStore>(),
            UserData = services.GetService<IUserDataStore>(),
            SendQueue = services.GetService<ISendQueue>(),
            Probe = services.GetService<IStorageProbe>(),
        };
    }

    public StoreSet Set { get; }

    public IMessageStore Messages => Set.Messages;

    public IServiceProvider Services => _services;

    public static async Task<MySqlStores> OpenAsync(string connectionString, Action<ImMySqlOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddImServer().UseMySql(DataSource(connectionString), configure);
        var provider = services.BuildServiceProvider();
        try
        {
            foreach (var initializer in provider.GetServices<IStorageInitializer>())
            {
                await initializer.InitializeAsync(CancellationToken.None);
            }
        }
        catch
        {
            await provider.DisposeAsync();
            throw;
        }

        return new MySqlStores(provider);
    }

    public static DbDataSource DataSource(string connectionString) => MySqlClientFactory.Instance.CreateDataSource(connectionString);

    /// <summary>Closes the idle connections that the driver keeps for a database: with one each for many tests the server would run out of them.</summary>
    public static void ClosePool(string connectionString)
    {
        using var connection = new MySqlConnection(connectionString);
        MySqlConnection.ClearPool(connection);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
