using Im.Storage;
using Im.Storage.Relational.Queue;
using Im.Storage.Relational.Retention;
using Im.Storage.Relational.Stores;
using Im.Storage.Sqlite;
using Im.Storage.Sqlite.Internal;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Chooses SQLite.</summary>
public static class ImSqliteBuilderExtensions
{
    // Four pages: about what a message between two people needs.
    private const int ProbePadding = 16 * 1024;

    /// <summary>Keeps everything in one SQLite file: durable, for one server, nothing to install.</summary>
    /// <param name="builder">What <c>AddImServer</c> returned.</param>
    /// <param name="database">A file, or a connection string of Microsoft.Data.Sqlite.</param>
    /// <param name="configure">Durability and limits. Several calls configure the same options, one after the other.</param>
    /// <remarks>
    /// Can be safely called multiple times; the last file counts. It replaces other stores, wherever in the chain it stands. The folder is created. Beside the file stand its <c>-wal</c> and <c>-shm</c> files
    /// and a <c>.lock</c> file that keeps a second server out.
    /// </remarks>
    public static IImServerBuilder UseSqlite(
        this IImServerBuilder builder, string database, Action<ImSqliteOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(database);
        var services = builder.Services;
        var options = services.AddOptions<ImSqliteOptions>().Configure(settings => settings.Database = database).ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ImSqliteOptions>, SqliteOptionsValidator>());
        services.TryAddSingleton<SqliteStorage>();
        services.TryAddSingleton<ISqliteBackup, SqliteBackup>();
        Replace<IMessageStore>(services, storage => new RelationalMessageStore(storage.Lanes));
        Replace<IGroupStore>(services, storage => new RelationalGroupStore(storage.Lanes));
        Replace<IConversationStore>(services, storage => new RelationalConversationStore(storage.Lanes));
        Replace<IDeviceStore>(services, storage => new RelationalDeviceStore(storage.Lanes));
        Replace<IRetentionStore>(services, storage => new RelationalRetentionStore(storage.Lanes, storage.Database));
        Replace<IUserDataStore>(services, storage => new RelationalUserDataStore(storage.Lanes));
        Replace<ISendQueue>(services, storage => new RelationalSendQueue(storage.Lanes));
        services.Replace(ServiceDescriptor.Singleton<IStorageProbe>(provider => new RelationalProbe(
            provider.GetRequiredService<SqliteStorage>().Lanes, provider.GetRequiredService<TimeProvider>(), ProbePadding)));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStorageInitializer, SqliteInitializer>());
        return builder;
    }

    private static void Replace<T>(IServiceCollection services, Func<SqliteStorage, T> create)
        where T : class =>
        services.Replace(ServiceDescriptor.Singleton(provider => create(provider.GetRequiredService<SqliteStorage>())));
}
