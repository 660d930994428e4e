using System.Net;
using Im.Transport.Tcp;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Im.ModelTests;

/// <summary>A whole server in this process on free loopback ports. What it logs as an error is a violation.</summary>
internal sealed class ModelServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly WebApplication _app;

    private ModelServer(WebApplication app) => _app = app;

    public IServiceProvider Services => _app.Services;

    public IImServer Im => Services.GetRequiredService<IImServer>();

    public IPEndPoint TcpEndpoint => Services.GetRequiredService<ITcpTransportEndpoints>().BoundEndpoints[0];

    public IPEndPoint WebSocketEndpoint =>
        new(IPAddress.Loopback, new Uri(Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port);

    public static async Task<ModelServer> StartAsync(Action<ImServerOptions> configure, Action<string> violation)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(new ErrorLog(violation)).SetMinimumLevel(LogLevel.Error);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddImServer(configure)
            .AddUserProvider<ModelUsers>()
            .AddTcpTransport(options =>
            {
                options.Endpoints.Add(new TcpEndpointOptions { Address = IPAddress.Loopback, Port = 0 });
                options.SendBufferBytes = 8192;
            })
            .AddWebSocketTransport();
        var app = builder.Build();
        app.MapIm("/im");
        await app.StartAsync().WaitAsync(Patience);
        return new ModelServer(app);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().WaitAsync(Patience);
        await _app.DisposeAsync();
    }

    private sealed class ErrorLog(Action<string> violation) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                violation($"The server logged {eventId}: {formatter(state, exception)} {exception}");
            }
        }

        public void Dispose()
        {
        }
    }
}
