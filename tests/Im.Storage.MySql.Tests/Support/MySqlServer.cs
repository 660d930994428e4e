using Im.LocalServers;
using MySql.Data.MySqlClient;

namespace Im.Storage.MySql.Tests.Support;

/// <summary>One MariaDB for all tests of a run; each fixture has a database of its own on it.</summary>
public sealed class MySqlServer : IAsyncLifetime
{
    private int _databases;

    public MariaDbServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await MariaDbServer.StartAsync().WaitAsync(TimeSpan.FromSeconds(60));

    public async Task DisposeAsync() => await Server.DisposeAsync();

    /// <summary>Makes an empty database; its name.</summary>
    public string CreateDatabase()
    {
        var name = $"im_{Interlocked.Increment(ref _databases)}";
        Execute($"CREATE DATABASE {name} CHARACTER SET latin1");
        return name;
    }

    /// <summary>Runs statements as root.</summary>
    public void Execute(string sql, string? database = null) => Execute(Server, sql, database);

    /// <summary>The first value of a query as root.</summary>
    public object? Query(string sql, string? database = null) => Query(Server, sql, database);

    public static void Execute(MariaDbServer server, string sql, string? database = null) => Query(server, sql, database);

    public static object? Query(MariaDbServer server, string sql, string? database = null)
    {
        using var connection = new MySqlConnection(server.ConnectionString(database) + ";Pooling=false");
        connection.Open();
        using var names = new MySqlCommand("SET NAMES utf8mb4", connection);
        names.ExecuteNonQuery();
        using var command = new MySqlCommand(sql, connection);
        return command.ExecuteScalar();
    }
}

/// <summary>The tests that share the server, one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class MySqlCollection : ICollectionFixture<MySqlServer>
{
    public const string Name = "mysql";
}
