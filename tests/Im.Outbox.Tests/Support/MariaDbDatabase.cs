using System.Data.Common;
using Im.LocalServers;
using MySql.Data.MySqlClient;

namespace Im.Outbox.Tests.Support;

/// <summary>One server for the tests of a class.</summary>
public sealed class MariaDbFixture : IAsyncLifetime
{
    private int _databases;

    public MariaDbServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await MariaDbServer.StartAsync().WaitAsync(TimeSpan.FromSeconds(60));

    public async Task DisposeAsync() => await Server.DisposeAsync();

    /// <summary>An empty database.</summary>
    public async Task<TestDatabase> CreateAsync(string more = "")
    {
        var name = $"host{Interlocked.Increment(ref _databases)}";
        await using var connection = new MySqlConnection(Server.ConnectionString());
        await connection.OpenAsync();
        await using var command = new MySqlCommand($"CREATE DATABASE {name}", connection);
        await command.ExecuteNonQueryAsync();
        return new MariaDbDatabase(Server, Server.ConnectionString(name) + more);
    }

    private sealed class MariaDbDatabase(MariaDbServer server, string connectionString) : TestDatabase
    {
        public override string ConnectionString => connectionString;

        public override DbDataSource DataSource { get; } = MySqlClientFactory.Instance.CreateDataSource(connectionString);

        public override bool HasConcurrentWriters => true;

        // MySql.Data 8.0.16 stumbles over the warning that a table exists already, unless the connection's texts are utf8mb4.
        protected override string SessionSql => "SET NAMES utf8mb4; ";

        public override Task BreakAsync() => server.KillAsync().WaitAsync(Wait.Patience);

        public override Task RepairAsync() => server.RestartAsync().WaitAsync(Wait.Patience);

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
