using System.Data.Common;
using Im.Storage;
using Im.Storage.MySql;
using Im.Storage.MySql.Internal;
using Im.Storage.Relational.Queue;
using Im.Storage.Relational.Retention;
using Im.Storage.Relational.Stores;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps everything in MySQL or MariaDB.</summary>
public static class ImMySqlBuilderExtensions
{
    /// <summary>Keeps everything in MySQL 8 or MariaDB 10.11+, through a data source of the host's driver. Can be safely called multiple times; the last data source counts.</summary>
    /// <param name="builder">What <c>AddImServer</c> returned.</param>
    /// <param name="dataSource">
    /// Opens connections, for example <c>new MySqlDataSourceBuilder(connectionString).Build()</c> of MySqlConnector or
    /// <c>MySqlClientFactory.Instance.CreateDataSource(connectionString)</c> of MySql.Data. The caller disposes of it.
    /// </param>
    /// <param name="configure">Lanes, limits and the schema. Several calls configure the same stores, one after the other.</param>
    public static IImServerBuilder UseMySql(this IImServerBuilder builder, DbDataSource dataSource, Action<ImMySqlOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(dataSource);
        return Use(builder, ServiceDescriptor.Singleton(new MySqlDataSource(dataSource)), configure);
    }

    /// <summary>The same with the <see cref="DbDataSource"/> from the services; where there is none, the start fails and says what to add.</summary>
    public static IImServerBuilder UseMySql(this IImServerBuilder builder, Action<ImMySqlOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return Use(builder, ServiceDescriptor.Singleton(FindDataSource), configure);
    }

    private static IImServerBuilder Use(IImServerBuilder builder, ServiceDescriptor dataSource, Action<ImMySqlOptions>? configure)
    {
        var services = builder.Services;
        var options = services.AddOptions<ImMySqlOptions>().ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ImMySqlOptions>, MySqlOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.Replace(dataSource);
        services.TryAddSingleton<MySqlStorage>();
        Replace<IMessageStore>(services, storage => new RelationalMessageStore(storage.Lanes));
        Replace<IGroupStore>(services, storage => new RelationalGroupStore(storage.Lanes));
        Replace<IConversationStore>(services, storage => new RelationalConversationStore(storage.Lanes));
        Replace<IDeviceStore>(services, storage => new RelationalDeviceStore(storage.Lanes));
        Replace<IRetentionStore>(services, storage => new RelationalRetentionStore(storage.Lanes, storage.Dialect));
        Replace<IUserDataStore>(services, storage => new RelationalUserDataStore(storage.Lanes));
        Replace<ISendQueue>(services, storage => new RelationalSendQueue(storage.Lanes));
        services.Replace(ServiceDescriptor.Singleton<IStorageProbe>(provider => new RelationalProbe(
            provider.GetRequiredService<MySqlStorage>().Lanes, provider.GetRequiredService<TimeProvider>())));
        services.TryAddSingleton<MySqlNodeGuard>();
        services.Replace(ServiceDescriptor.Singleton<INodeGuard>(FindGuard));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStorageInitializer, MySqlInitializer>());
        return builder;
    }

    private static void Replace<T>(IServiceCollection services, Func<MySqlStorage, T> create)
        where T : class =>
        services.Replace(ServiceDescriptor.Singleton(provider => create(provider.GetRequiredService<MySqlStorage>())));

    // None where a later Use… has chosen another store.
    private static INodeGuard FindGuard(IServiceProvider services) =>
        services.GetRequiredService<IMessageStore>() is RelationalMessageStore { Dialect: MySqlDialect } ? services.GetRequiredService<MySqlNodeGuard>() : null!;

    private static MySqlDataSource FindDataSource(IServiceProvider services) =>
        services.GetService<DbDataSource>() is { } dataSource
            ? new MySqlDataSource(dataSource)
            : throw new InvalidOperationException(
                "UseMySql() found no DbDataSource among the services. Add the line: builder.Services.AddMySqlDataSource(connectionString); (MySqlConnector) "
                + "or builder.Services.AddSingleton<DbDataSource>(MySqlClientFactory.Instance.CreateDataSource(connectionString)); (MySql.Data).");
}
