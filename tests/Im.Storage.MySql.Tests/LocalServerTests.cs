using Im.LocalServers;
using MySql.Data.MySqlClient;

namespace Im.Storage.MySql.Tests;

/// <summary>The servers that the other tests stand on.</summary>
public sealed class LocalServerTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task WhatMariaDbCommittedSurvivesAKillAndARestart()
    {
        await using var server = await MariaDbServer.StartAsync().WaitAsync(Limit);
        var first = server.ProcessId;
        Execute(server, "CREATE DATABASE d; CREATE TABLE d.t (a INT) ENGINE=InnoDB; INSERT INTO d.t VALUES (7)");
        await server.KillAsync().WaitAsync(Limit);
        Assert.Equal(0, server.ProcessId);
        Assert.ThrowsAny<MySqlException>(() => Execute(server, "SELECT 1"));
        await server.RestartAsync().WaitAsync(Limit);
        Assert.NotEqual(first, server.ProcessId);
        Assert.Equal(7, Execute(server, "SELECT a FROM d.t"));
    }

    [Fact]
    public async Task DisposingEndsTheServerAndDeletesItsFolder()
    {
        var server = await MariaDbServer.StartAsync().WaitAsync(Limit);
        var id = server.ProcessId;
        Assert.True(Directory.Exists($"/proc/{id}"));
        await server.DisposeAsync();
        Assert.False(Directory.Exists($"/proc/{id}"));
        Assert.False(Directory.Exists(server.Folder));
    }

    [Fact]
    public async Task AServerThatCannotStartSaysWhy()
    {
        var options = new MariaDbServerOptions { Arguments = ["--no-such-option"] };
        var failure = await Assert.ThrowsAsync<LocalServerException>(() => MariaDbServer.StartAsync(options).WaitAsync(Limit));
        Assert.Contains("no-such-option", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RedisAnswersAndEnds()
    {
        await using var server = await RedisServer.StartAsync().WaitAsync(Limit);
        Assert.True(Directory.Exists($"/proc/{server.ProcessId}"));
        await server.RestartAsync().WaitAsync(Limit);
        await server.StopAsync().WaitAsync(Limit);
        Assert.Equal(0, server.ProcessId);
    }

    private static object? Execute(MariaDbServer server, string sql)
    {
        using var connection = new MySqlConnection(server.ConnectionString() + ";Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SET NAMES utf8mb4; " + sql;
        return command.ExecuteScalar();
    }
}
