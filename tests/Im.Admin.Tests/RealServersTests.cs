using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Im.Admin.Tests.Support;
using Im.Client;
using Im.LocalServers;
using Microsoft.Extensions.DependencyInjection;
using MySql.Data.MySqlClient;

namespace Im.Admin.Tests;

/// <summary>The same over MariaDB and Redis, and what is told while Redis is away.</summary>
public sealed class RealServersTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task TwoNodesOverMariaDbAndRedisAreAdministeredFromOne()
    {
        await using var redis = await RedisServer.StartAsync().WaitAsync(Limit);
        await using var mariaDb = await MariaDbServer.StartAsync().WaitAsync(Limit);
        await ExecuteAsync(mariaDb.ConnectionString(), "CREATE DATABASE admin");
        await using var database = MySqlClientFactory.Instance.CreateDataSource(mariaDb.ConnectionString("admin"));
        await using var east = await Node.StartAsync("east", configure: im => im.UseMySql(database).UseRedis(redis.ConnectionString));
        await using var west = await Node.StartAsync("west", configure: im => im.UseMySql(database).UseRedis(redis.ConnectionString));
        using var client = TwoNodes.CreateOperator(east);
        await Eventually.Async(async () => (await GetAsync("nodes"))["nodes"]!.AsArray() is [_, { } other] && (string?)other["health"] == "healthy" ? "" : "There are no two healthy nodes.");

        await using var ella = await east.ConnectAsync("ella");
        await using var walt = await west.ConnectAsync("walt", "tv");
        await ella.SendTextAsync(ImTarget.User("walt"), "hello").WaitAsync(Limit);
        using var sent = await client.PostAsJsonAsync("messages", new { messages = new[] { new { senderId = "$office", toUserId = "walt", content = new { text = "x" }, clientMessageId = "r-1" } } });
        Assert.True(sent.IsSuccessStatusCode);
        await Eventually.Async(async () =>
        {
            var trace = await GetAsync("trace?userId=walt&senderId=%24office&clientMessageId=r-1");
            return (string?)trace["verdict"] == "delivered" && (long)trace["inboxSeq"]! == 2 && (string?)trace["devices"]![0]!["session"]!["node"] == "west" ? "" : trace.ToJsonString();
        });
        using var all = await client.PostAsJsonAsync("messages/all", new { senderId = "$office", content = new { text = "x" } });
        Assert.Equal(2, (int)JsonNode.Parse(await all.Content.ReadAsStringAsync())!["sessions"]!);
        Assert.Equal(2, (await GetAsync("users/online"))["users"]!.AsArray().Count);
        var connection = (await GetAsync("connections?user=walt"))["connections"]![0]!;
        Assert.Equal("west", (string?)connection["node"]);

        await redis.KillAsync();
        await Eventually.Async(async () =>
        {
            using var response = await client.GetAsync("users/online");
            var status = (await GetAsync("status?node=east"))["nodes"]![0]!;
            return (int)response.StatusCode == 503 && (string?)status["health"] == "degraded" && ((string)status["cluster"]!["directoryFailure"]!).Length > 0
                ? "" : $"{(int)response.StatusCode} {status["health"]}";
        });

        // Without Redis nobody reaches the other node, and the answer says so; this one's connections are shown.
        var page = await GetAsync("connections");
        Assert.Equal(("ella", "west"), ((string?)page["connections"]![0]!["userId"], (string?)page["silentNodes"]![0]));

        async Task<JsonObject> GetAsync(string path) => JsonNode.Parse(await client.GetStringAsync(path).WaitAsync(Limit))!.AsObject();
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new MySqlConnection(connectionString);
        connection.Open();
        using var command = new MySqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
