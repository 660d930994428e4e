using System.Net;
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

    private TestServer(WebApplication app) => _app = app;

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
        Action<ImServerOptions>? configure = null, Action<IImServerBuilder>? build = null, int tcpPort = 0, int httpPort = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
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
        await app.StartAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return new TestServer(app);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().WaitAsync(TimeSpan.FromSeconds(30));
        await _app.DisposeAsync();
    }
}
