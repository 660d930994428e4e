using System.Net.WebSockets;
using Im.Connections;
using Im.Transport.WebSockets.Internal;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Im.Transport.WebSockets.Tests;

/// <summary>A real Kestrel on a free loopback port, with the transport and a fake core.</summary>
internal sealed class LiveServer : IAsyncDisposable
{
    public const string Json = "im.v1.json";
    public const string Protobuf = "im.v1.protobuf";

    private LiveServer(WebApplication app) => App = app;

    public WebApplication App { get; }

    public FakeCore Core { get; } = new();

    public WebSocketTransport Transport => App.Services.GetRequiredService<WebSocketTransport>();

    public IImTransport Seam => App.Services.GetServices<IImTransport>().Single();

    public Uri Http => new(App.Urls.Single());

    public Uri Url => new UriBuilder(Http) { Scheme = "ws", Path = "/im" }.Uri;

    public static async Task<LiveServer> StartAsync(
        Action<WebSocketTransportOptions>? options = null,
        Action<WebApplicationBuilder>? build = null,
        Action<WebApplication>? use = null,
        Action<IEndpointConventionBuilder>? endpoint = null,
        bool accept = true)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        build?.Invoke(builder);
        new Builder(builder.Services).AddWebSocketTransport(options);
        var app = builder.Build();
        app.UseRouting();
        use?.Invoke(app);
        var mapped = app.MapIm("/im");
        endpoint?.Invoke(mapped);
        var server = new LiveServer(app);
        if (accept)
        {
            await server.Seam.StartAsync(server.Core, default);
        }

        await app.StartAsync().InTime();
        return server;
    }

    public async Task<ClientWebSocket> ConnectAsync(string? subprotocol = Json, Action<ClientWebSocketOptions>? configure = null)
    {
        var socket = new ClientWebSocket();
        socket.Options.KeepAliveInterval = TimeSpan.Zero;
        socket.Options.CollectHttpResponseDetails = true;
        if (subprotocol is not null)
        {
            socket.Options.AddSubProtocol(subprotocol);
        }

        configure?.Invoke(socket.Options);
        await socket.ConnectAsync(Url, default).InTime();
        return socket;
    }

    /// <summary>A connection and the core's end of it.</summary>
    public async Task<(ClientWebSocket Client, FakeHandler Handler)> ConnectBothAsync(string subprotocol = Json)
    {
        var client = await ConnectAsync(subprotocol);
        return (client, await Core.NextAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await Seam.StopAcceptingAsync(default);
        await Seam.StopAsync(default).AsTask().InTime();
        var rented = Transport.Buffers.Rented;
        await App.StopAsync().InTime();
        await App.DisposeAsync();
        Assert.Empty(Core.All.SelectMany(handler => handler.Breaches));
        foreach (var handler in Core.All)
        {
            await handler.Disconnection;
        }

        Assert.Equal(0, rented);
    }

    internal sealed record Builder(IServiceCollection Services) : IImServerBuilder;
}
