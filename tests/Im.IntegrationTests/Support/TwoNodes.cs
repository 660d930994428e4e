using Im.Cluster;
using Im.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Im.IntegrationTests.Support;

/// <summary>Two servers with real sockets as one cluster, over stores, a directory and a backplane in memory. A POST to /stop of the first stops it.</summary>
internal sealed class TwoNodes : IAsyncDisposable
{
    private readonly ServiceProvider _storage;
    private readonly TaskCompletionSource _stop;
    private readonly Task _stopping;

    private TwoNodes(ServiceProvider storage, TestServer first, TestServer second, TaskCompletionSource stop)
    {
        _storage = storage;
        (First, Second, _stop) = (first, second, stop);
        _stopping = StopWhenAskedAsync();
    }

    public TestServer First { get; }

    public TestServer Second { get; }

    public static async Task<TwoNodes> StartAsync()
    {
        var cluster = new InMemoryCluster();
        var storage = new ServiceCollection().AddSingleton(TimeProvider.System).AddImServer().Services.BuildServiceProvider();
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = await StartNodeAsync("first", cluster, storage, app => app.MapPost("/stop", () => { stop.TrySetResult(); }));
        var second = await StartNodeAsync("second", cluster, storage, null);
        foreach (var node in new[] { first, second })
        {
            var state = node.Services.GetRequiredService<ClusterState>();
            await Wait.ForAsync(() => state.View.Nodes.Count == 2, "the nodes to know each other");
        }

        return new TwoNodes(storage, first, second, stop);
    }

    public async ValueTask DisposeAsync()
    {
        _stop.TrySetResult();
        await _stopping;
        await First.DisposeAsync();
        await Second.DisposeAsync();
        await _storage.DisposeAsync();
    }

    private static Task<TestServer> StartNodeAsync(string name, InMemoryCluster cluster, IServiceProvider storage, Action<WebApplication>? map)
    {
        return TestServer.StartAsync(options => options.NodeName = name, Build, map: map);

        void Build(IImServerBuilder im)
        {
            im.UseCluster(options => options.RenewInterval = TimeSpan.FromMilliseconds(200)).UseInMemoryCluster(cluster);
            Share<IMessageStore>();
            Share<IGroupStore>();
            Share<IConversationStore>();
            Share<IDeviceStore>();

            void Share<T>()
                where T : class => im.Services.Replace(ServiceDescriptor.Singleton(_ => storage.GetRequiredService<T>()));
        }
    }

    private async Task StopWhenAskedAsync()
    {
        await _stop.Task;
        await First.StopAsync();
    }
}
