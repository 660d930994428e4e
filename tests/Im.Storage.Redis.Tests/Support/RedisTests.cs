using System.Diagnostics;
using Im.LocalServers;
using StackExchange.Redis;

namespace Im.Storage.Redis.Tests.Support;

/// <summary>One Redis server for a class of tests.</summary>
public class RedisFixture : IAsyncLifetime
{
    public RedisServer Server { get; private set; } = null!;

    /// <summary>A connection of the tests' own, to look and to disturb.</summary>
    public ConnectionMultiplexer Admin { get; private set; } = null!;

    protected virtual string[] Arguments => [];

    public virtual async Task InitializeAsync()
    {
        Server = await RedisServer.StartAsync(Arguments);
        Admin = await ConnectionMultiplexer.ConnectAsync(Server.ConnectionString + ",allowAdmin=true,abortConnect=false,connectTimeout=5000");

        // A machine that is busy takes its time; it goes on trying by itself.
        await Poll.UntilAsync(() => Admin.IsConnected, "the tests are connected");
    }

    public virtual async Task DisposeAsync()
    {
        Admin.Dispose();
        await Server.DisposeAsync();
    }

    /// <summary>Runs a command that the library has no method for.</summary>
    public async Task<RedisResult> RunAsync(string command, params object[] arguments) =>
        await Admin.GetDatabase().ExecuteAsync(command, arguments).WaitAsync(TimeSpan.FromSeconds(10));

    public async Task<string[]> KeysAsync() => (string[])(await RunAsync("KEYS", "*"))!;

    /// <summary>Restarts the server without its data; ends when it answers us again.</summary>
    public async Task RestartEmptyAsync()
    {
        await Server.KillAsync();
        await Server.RestartAsync();
        await Poll.UntilAsync(() => Admin.IsConnected, "the tests are connected again");
    }
}

/// <summary>Waits for a condition with a deadline.</summary>
public static class Poll
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(watch.Elapsed < Limit, $"Not within {Limit}: {what}");
            await Task.Delay(10);
        }
    }

    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);
}
