using Im.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Im.Core.Tests.Hosting;

public sealed class OptionsTests
{
    [Fact]
    public void EachDefaultIsWhatTheDocumentationSays()
    {
        var options = new ImServerOptions();
        Assert.Equal(Environment.MachineName, options.NodeName);
        Assert.Equal(32 * 1024, options.MaxFrameBytesBeforeSignIn);
        Assert.Equal(128 * 1024, options.MaxFrameBytes);
        Assert.Equal(64 * 1024, options.MaxBodyBytes);
        Assert.Equal(100, options.MaxSendsPerSecond);
        Assert.Equal(256, options.MaxInFlightSends);
        Assert.Equal(100_000, options.MaxConnections);
        Assert.Equal(10_000, options.MaxConnectionsPerAddress);
        Assert.Equal(50, options.MaxSessionsPerUser);
        Assert.Equal(TimeSpan.FromSeconds(10), options.SignInTimeout);
        Assert.Equal(TimeSpan.FromSeconds(90), options.IdleTimeout);
        Assert.Equal(TimeSpan.FromSeconds(1), options.HeartbeatInterval);
        Assert.Equal(1024 * 1024, options.MaxQueueBytes);
        Assert.Equal(TimeSpan.FromSeconds(30), options.SlowTimeout);
        Assert.Equal(1000, options.MaxBatchMessages);
        Assert.Equal(10_000, options.MaxBatchInboxes);
        Assert.Equal(512 * 1024, options.MaxBatchBytes);
        Assert.Equal(20_000, options.MaxPendingMessages);
        Assert.Equal(100, options.MaxWriteFanoutMembers);
        Assert.Equal(200_000, options.MaxGroupMembers);
        Assert.Equal(1000, options.MaxMembersPerChange);
        Assert.Equal(10_000, options.MaxPinnedWriteFanoutMembers);
        Assert.Equal(1000, options.MaxCachedGroupMembers);
        Assert.Equal(500, options.MaxPageEntries);
        Assert.Equal(256 * 1024, options.MaxPageBytes);
        Assert.Equal(4, options.MaxConcurrentCatchUps);
        Assert.Equal(TimeSpan.FromSeconds(40), options.HeadCheckInterval);
        Assert.Equal(64 * 1024 * 1024, options.RecentEntriesBytes);
        Assert.Equal(10_000, options.MaxCachedConversations);
        Assert.Equal(TimeSpan.FromSeconds(5), options.InterceptorTimeout);
        Assert.Equal(TimeSpan.FromSeconds(5), options.ReconnectSpread);
        Assert.Equal(TimeSpan.FromSeconds(10), options.DrainTimeout);
        Assert.Equal(5000, options.QueueSendsAbove);
        Assert.Equal(1_000_000, options.MaxQueuedSends);
        Assert.Equal(20, options.MaxQueuedSendsPerCommit);
        Assert.Equal(TimeSpan.FromSeconds(15), options.SendQueueLease);
    }

    [Fact]
    public async Task AllMistakesAreReportedAtStartAtOnce()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddImServer(options =>
        {
            options.NodeName = "";
            options.MaxQueueBytes = 1;
            options.IdleTimeout = TimeSpan.Zero;
        }).AddUserProvider<NoUsers>();
        using var host = builder.Build();
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Equal(3, exception.Failures.Count());
        Assert.Contains("IdleTimeout must be between 00:00:01 and", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AHostWithoutAUserProviderFailsAtStartWithTheLineToPaste()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddImServer();
        using var host = builder.Build();
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync());
        Assert.Contains("builder.Services.AddImServer().AddUserProvider<MyUserProvider>();", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryVerbCanBeCalledTwice()
    {
        var services = new ServiceCollection();
        services.AddImServer(options => options.MaxQueueBytes = 2000).AddUserProvider<NoUsers>();
        var once = Registered(services);
        services.AddImServer().AddUserProvider<NoUsers>();
        Assert.Equal(once, Registered(services));
    }

    // Configuring delegates add up by design.
    private static int Registered(ServiceCollection services) =>
        services.Count(service => !service.ServiceType.Name.StartsWith("IConfigureOptions", StringComparison.Ordinal));

    private sealed class NoUsers : IUserProvider
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
            ValueTask.FromResult(AuthenticationResult.BadToken());

        public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<ImUser>>([]);
    }
}
