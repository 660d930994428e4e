using Im.Cluster;
using Im.LocalServers;
using Im.Rooms;
using Im.Storage;
using Im.Storage.Redis.Internal;
using Im.Storage.Redis.Tests.Support;
using Im.Timelines;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Im.Storage.Redis.Tests;

/// <summary>The verb and its options.</summary>
public sealed class RegistrationTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task TheVerbReplacesWhatANodeSharesAndMayBeCalledTwice()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddImServer().AddUserProvider<Nobody>().UseRedis("nowhere:1").UseRedis(redis.Server.ConnectionString, options => options.KeyPrefix = "x");
        builder.Services.AddSingleton<INodeGuard, SharedStore>();
        using var host = builder.Build();
        Assert.IsType<RedisSessionDirectory>(Assert.Single(host.Services.GetServices<ISessionDirectory>()));
        Assert.IsType<RedisBackplane>(Assert.Single(host.Services.GetServices<IBackplane>()));
        Assert.IsType<RedisSequenceAllocator>(Assert.Single(host.Services.GetServices<ISequenceAllocator>()));
        Assert.IsType<RedisGroupMemberCache>(Assert.Single(host.Services.GetServices<IGroupMemberCache>()));
        Assert.IsType<RedisRoomStore>(Assert.Single(host.Services.GetServices<IRoomStore>()));
        Assert.Equal(redis.Server.ConnectionString, host.Services.GetRequiredService<IOptions<ImRedisOptions>>().Value.Configuration);

        await host.StartAsync().WaitAsync(Limit);
        Assert.Contains(await redis.KeysAsync(), key => key.StartsWith("x:{nodes}", StringComparison.Ordinal));
        await host.StopAsync().WaitAsync(Limit);
    }

    [Theory]
    [InlineData("", "names no server")]
    [InlineData("localhost:6379,passwort=x", "passwort")]
    [InlineData("ssl=true", "names no server")]
    public async Task AWrongConfigurationFailsTheStartAndSaysWhatToWrite(string configuration, string reason)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddImServer().AddUserProvider<Nobody>().UseRedis(configuration);
        using var host = builder.Build();
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync().WaitAsync(Limit));
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("write for example UseRedis(\"localhost:6379\") or UseRedis(\"redis1:6379,redis2:6379,password=…,ssl=true\").", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AllWrongOptionsAreReportedAtOnce()
    {
        var result = new RedisOptionsValidator().Validate(null, new ImRedisOptions
        {
            Configuration = "localhost",
            KeyPrefix = "a{b}",
            OperationTimeout = TimeSpan.Zero,
            MaxQueuedMessages = 1,
        });
        Assert.Equal(3, result.Failures!.Count());
        Assert.True(new RedisOptionsValidator().Validate(null, new ImRedisOptions { Configuration = "localhost" }).Succeeded);
    }

    [Fact]
    public async Task TheHostsMultiplexerIsUsedAndStaysTheHosts()
    {
        using var multiplexer = await ConnectionMultiplexer.ConnectAsync(redis.Server.ConnectionString);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddImServer().UseRedis(_ => Task.FromResult<IConnectionMultiplexer>(multiplexer));
        await using (var provider = services.BuildServiceProvider())
        {
            await provider.GetRequiredService<ISessionDirectory>().RegisterAsync([Sessions.Of("alice")], default).AsTask().WaitAsync(Limit);
        }

        Assert.True(multiplexer.IsConnected);
        await multiplexer.GetDatabase().PingAsync().WaitAsync(Limit);
    }

    [Fact]
    public async Task AHostWhoseRedisIsDownStartsAndStops()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddImServer().AddUserProvider<Nobody>().UseRedis($"127.0.0.1:{LoopbackPorts.Next()}", options => options.OperationTimeout = TimeSpan.FromMilliseconds(200));
        builder.Services.AddSingleton<INodeGuard, SharedStore>();
        using var host = builder.Build();
        await host.StartAsync().WaitAsync(TimeSpan.FromSeconds(10));
        await host.StopAsync().WaitAsync(TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task AStoreThatNodesDoNotShareFailsTheStartAndSaysWhatToUse()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddImServer().AddUserProvider<Nobody>().UseRedis(redis.Server.ConnectionString);
        using var host = builder.Build();
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync().WaitAsync(Limit));
        Assert.EndsWith("for example .UseMySql(dataSource), or leave .UseRedis(…) out.", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>The in-memory store, said to be one that nodes share.</summary>
    private sealed class SharedStore : INodeGuard
    {
        public ValueTask AcquireAsync(string nodeName, string instanceId, Action lost, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask ReleaseAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask<int> EndNodeConnectionsAsync(string nodeName, string instanceId, CancellationToken cancellationToken) => ValueTask.FromResult(0);
    }

    private sealed class Nobody : IUserProvider
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
