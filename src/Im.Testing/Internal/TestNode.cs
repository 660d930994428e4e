using Im.Cluster;
using Im.Connections;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Im.Testing.Internal;

/// <summary>One server of a test host: a generic host with the in-memory transport.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    // The drain looks at its connections at such intervals of the test's clock.
    private static readonly TimeSpan DrainStep = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan RealStep = TimeSpan.FromMilliseconds(5);

    private readonly IHost _host;
    private readonly ImTestTime _time;

    private TestNode(IHost host, MemoryTransport transport, ImTestTime time)
    {
        _host = host;
        _time = time;
        Transport = transport;
    }

    public MemoryTransport Transport { get; }

    public IServiceProvider Services => _host.Services;

    public static async Task<TestNode> StartAsync(
        string name, MemoryStorage storage, InMemoryCluster cluster, ImTestTime time, ImTestUsers users, Action<IImServerBuilder>? configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        var transport = new MemoryTransport();
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton(users);
        storage.AddTo(builder.Services);
        var server = builder.Services.AddImServer(options =>
        {
            options.NodeName = name;
            options.IdleTimeout = ImTestHost.DefaultIdleTimeout;
            options.ReconnectSpread = TimeSpan.Zero;
        });
        server.AddUserProvider<TestUserProvider>();
        server.UseInMemoryCluster(cluster);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IImTransport, MemoryTransport>(_ => transport));
        configure?.Invoke(server);
        var host = builder.Build();
        try
        {
            await host.StartAsync().ConfigureAwait(false);
        }
        catch
        {
            host.Dispose();
            throw;
        }

        return new TestNode(host, transport, time);
    }

    public async ValueTask DisposeAsync()
    {
        var stopping = _host.StopAsync();
        while (await Task.WhenAny(stopping, Task.Delay(RealStep)).ConfigureAwait(false) != stopping)
        {
            // A drain that waits for connections waits by the test's clock.
            _time.Advance(DrainStep);
        }

        await stopping.ConfigureAwait(false);
        await ((IAsyncDisposable)_host).DisposeAsync().ConfigureAwait(false);
    }
}
