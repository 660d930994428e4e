using Im.LocalServers;
using MySql.Data.MySqlClient;

namespace Im.ClusterTests.Cluster;

/// <summary>A database, a Redis and some nodes, all processes of their own.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private const string Database = "im";

    /// <summary>Short, so that a test need not wait long; a third of it between renewals at most.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);

    private TestCluster(MariaDbServer mariaDb, RedisServer redis)
    {
        MariaDb = mariaDb;
        Redis = redis;
    }

    public MariaDbServer MariaDb { get; }

    public RedisServer Redis { get; }

    public List<NodeProcess> Nodes { get; } = [];

    public string ConnectionString => MariaDb.ConnectionString(Database);

    public static async Task<TestCluster> StartAsync(int nodes, Func<int, string[]>? arguments = null, bool startRedis = true)
    {
        var mariaDb = MariaDbServer.StartAsync(new MariaDbServerOptions { BufferPoolMegabytes = 256, LogFileMegabytes = 96 });
        var cluster = new TestCluster(await mariaDb, await RedisServer.StartAsync());
        try
        {
            if (!startRedis)
            {
                await cluster.Redis.KillAsync();
            }

            await cluster.ExecuteAsync($"CREATE DATABASE {Database}", cluster.MariaDb.ConnectionString());
            for (var i = 0; i < nodes; i++)
            {
                // One after the other: two that make the schema at once wait for each other anyway.
                await cluster.AddNodeAsync($"node{i + 1}", arguments?.Invoke(i) ?? []);
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async Task<NodeProcess> AddNodeAsync(string name, params string[] arguments)
    {
        var node = await NodeProcess.StartAsync(name, [.. Arguments, .. arguments]);
        Nodes.Add(node);
        return node;
    }

    /// <summary>What every node of this cluster is started with.</summary>
    public string[] Arguments =>
    [
        "--mysql", ConnectionString + ";Maximum Pool Size=20", "--redis", Redis.ConnectionString,
        "--Cluster:LeaseDuration", $"{Lease}", "--Cluster:RenewInterval", "00:00:00.5", "--Cluster:ProbeInterval", "00:00:00.3",
        "--Im:ReconnectSpread", "00:00:01",
    ];

    /// <summary>Waits until each node is healthy and knows all the others.</summary>
    public Task WhenHealthyAsync(TimeSpan? timeout = null) => Wait.UntilAsync(
        async () =>
        {
            foreach (var node in Nodes)
            {
                var health = await node.GetHealthAsync();
                if (health.Status != "Healthy" || health.Data.GetValueOrDefault("nodes")?.Split(", ").Length != Nodes.Count)
                {
                    return $"{node.Name} is {health.Status}: {health.Description} nodes: {health.Data.GetValueOrDefault("nodes")}";
                }
            }

            return null;
        },
        timeout);

    public async Task<long> QueryAsync(string sql, string? connectionString = null)
    {
        await using var connection = await OpenAsync(connectionString ?? ConnectionString);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(await command.ExecuteScalarAsync());
    }

    public async Task ExecuteAsync(string sql, string? connectionString = null)
    {
        await using var connection = await OpenAsync(connectionString ?? ConnectionString);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
        {
            await node.DisposeAsync();
        }

        await Redis.DisposeAsync();
        await MariaDb.DisposeAsync();
    }

    public static async Task<MySqlConnection> OpenAsync(string connectionString)
    {
        var connection = new MySqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "SET NAMES utf8mb4";
        await command.ExecuteNonQueryAsync();
        return connection;
    }
}
