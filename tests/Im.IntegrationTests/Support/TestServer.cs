using System.Diagnostics.Metrics;
using System.Net;
using Im.Connections;
using Im.Diagnostics;
using Im.Transport.Tcp;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Im.IntegrationTests.Support;

/// <summary>A whole server in this process on free loopback ports: TCP, and WebSockets on Kestrel at /im.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestServer(WebApplication app, LogRecorder logs)
    {
        _app = app;
        Logs = logs;
        Metrics = new MetricRecorder(app.Services.GetRequiredService<IMeterFactory>());
    }

    public MetricRecorder Metrics { get; }

    public LogRecorder Logs { get; }

    public ConnectionRegistry Connections => _app.Services.GetRequiredService<ConnectionRegistry>();

    public Checkpoints Checkpoints => _app.Services.GetRequiredService<Checkpoints>();

    public IImServer Im => _app.Services.GetRequiredService<IImServer>();

    public IServiceProvider Services => _app.Services;

    public IPEndPoint TcpEndpoint => _app.Services.GetRequiredService<ITcpTransportEndpoints>().BoundEndpoints[0];

    public Uri WebSocketUri
    {
        get
        {
            var address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
            return new Uri(address.Replace("http://", "ws://", StringComparison.Ordinal) + "/im");
        }
    }

    public static async Task<TestServer> StartAsync(
        Action<ImServerOptions>? configure = null, Action<IImServerBuilder>? build = null, int tcpPort = 0, int httpPort = 0, Action<WebApplication>? map = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var logs = new LogRecorder();
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.WebHost.UseUrls($"http://127.0.0.1:{httpPort}");
        var im = builder.Services.AddImServer(options =>
            {
                options.DrainTimeout = TimeSpan.FromSeconds(5);
                options.ReconnectSpread = TimeSpan.FromMilliseconds(50);
                configure?.Invoke(options);
            })
            .AddUserProvider<TestUsers>()
            .AddTcpTransport(options => options.Endpoints.Add(new TcpEndpointOptions { Address = IPAddress.Loopback, Port = tcpPort }))
            .AddWebSocketTransport();
        build?.Invoke(im);
        var app = builder.Build();
        app.MapIm("/im");
        map?.Invoke(app);
        var server = new TestServer(app, logs);
        await app.StartAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return server;
    }

    /// <summary>Stops the host, as at a deployment.</summary>
    public Task StopAsync() => _app.StopAsync().WaitAsync(TimeSpan.FromSeconds(30));

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _app.DisposeAsync();
        Metrics.Dispose();
    }
}
