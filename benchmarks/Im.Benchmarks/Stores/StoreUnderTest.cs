using System.Data.Common;
using Im.LocalServers;
using Im.Storage;
using Im.Storage.MySql;
using Im.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using MySql.Data.MySqlClient;

namespace Im.Benchmarks.Stores;

/// <summary>A store in a database of its own, and a second database with the same tables for the yardstick. MariaDB is started here, and flushes each commit.</summary>
internal sealed class StoreUnderTest : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("im-bench-").FullName;
    private ServiceProvider _services = null!;
    private MariaDbServer? _server;
    private DbConnection? _raw;

    public IMessageStore Messages => _services.GetRequiredService<IMessageStore>();

    public static async Task<StoreUnderTest> StartAsync(string name)
    {
        var store = new StoreUnderTest();
        var services = new ServiceCollection().AddLogging();
        var im = services.AddImServer().AddUserProvider<AnyUser>();
        switch (name)
        {
            case "sqlite":
                im.UseSqlite(Path.Combine(store._folder, "im.db"));
                break;
            case "mariadb":
                store._server = await MariaDbServer.StartAsync();
                await store.ExecuteAsync(null, "CREATE DATABASE im; CREATE DATABASE raw");
                im.UseMySql(MySqlClientFactory.Instance.CreateDataSource(store._server.ConnectionString("im")));
                break;
            case "memory":
                break;
            default:
                throw new ArgumentException($"There is no store '{name}': sqlite, mariadb, memory.", nameof(name));
        }

        store._services = services.BuildServiceProvider();
        foreach (var initializer in store._services.GetServices<IStorageInitializer>())
        {
            await initializer.InitializeAsync(CancellationToken.None);
        }

        return store;
    }

    /// <summary>Bytes on disk of what the store has written, after it was all moved from the log into the tables.</summary>
    public async Task<long> MeasureAsync()
    {
        if (_server is not null)
        {
            await ExecuteAsync("im", "SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0.001; SET GLOBAL innodb_max_dirty_pages_pct = 0");
            return new DirectoryInfo(Path.Combine(_server.DataFolder, "im")).EnumerateFiles("*.ibd").Sum(file => file.Length);
        }

        await using var connection = new SqliteConnection($"Data Source={Path.Combine(_folder, "im.db")}");
        await connection.OpenAsync();
        Execute(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        return new FileInfo(Path.Combine(_folder, "im.db")).Length;
    }

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public DbConnection OpenRaw()
    {
        if (_server is not null)
        {
            ExecuteAsync("raw", ImMySqlSchema.Script()).GetAwaiter().GetResult();
            _raw = new MySqlConnection(_server.ConnectionString("raw"));
            _raw.Open();
            Execute(_raw, "SET NAMES utf8mb4");
            return _raw;
        }

        _raw = new SqliteConnection($"Data Source={Path.Combine(_folder, "raw.db")}");
        _raw.Open();
        Execute(_raw, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
        Execute(_raw, ImSqliteSchema.Script());
        return _raw;
    }

    public async ValueTask DisposeAsync()
    {
        _raw?.Dispose();
        await _services.DisposeAsync();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task ExecuteAsync(string? database, string sql)
    {
        await using var connection = new MySqlConnection(_server!.ConnectionString(database));
        await connection.OpenAsync();
        Execute(connection, "SET NAMES utf8mb4");
        Execute(connection, sql);
    }

    private static void Execute(DbConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
