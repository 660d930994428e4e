using System.Net;
using System.Threading.Channels;
using Im.Connections;
using Im.Transport.Tcp.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Transport.Tcp.Tests.Support;

/// <summary>A started transport on a free port with a fake core behind it; at its end no rule may have been broken.</summary>
internal sealed class TestServer : IConnectionAcceptor, IAsyncDisposable
{
    private readonly Action<FakeHandler> _prepare;
    private readonly Channel<FakeHandler> _accepted = Channel.CreateUnbounded<FakeHandler>();
    private readonly List<FakeHandler> _handlers = [];

    private TestServer(TcpTransportOptions options, Action<FakeHandler> prepare)
    {
        _prepare = prepare;
        Transport = new TcpTransport(Options.Create(options), TimeProvider.System, Logs);
    }

    public TcpTransport Transport { get; }

    public RecordingLoggers Logs { get; } = new();

    public IPEndPoint Endpoint => Transport.BoundEndpoints[0];

    public FakeHandler[] Handlers
    {
        get
        {
            lock (_handlers)
            {
                return [.. _handlers];
            }
        }
    }

    public static async Task<TestServer> StartAsync(Action<FakeHandler>? prepare = null, Action<TcpTransportOptions>? configure = null)
    {
        var options = new TcpTransportOptions();
        configure?.Invoke(options);
        if (options.Endpoints.Count == 0)
        {
            options.Endpoints.Add(new() { Address = IPAddress.Loopback, Port = 0 });
        }

        var server = new TestServer(options, prepare ?? (_ => { }));
        await server.Transport.StartAsync(server, default);
        return server;
    }

    /// <summary>A core that sends every packet back.</summary>
    public static Task<TestServer> StartEchoAsync(Action<TcpTransportOptions>? configure = null) =>
        StartAsync(handler => handler.OnReceive = Echo, configure);

    public static bool Echo(FakeHandler handler, byte[] packet)
    {
        handler.Send(packet);
        return true;
    }

    public IConnectionHandler Accept(TransportConnection connection)
    {
        var handler = new FakeHandler(connection);
        _prepare(handler);
        lock (_handlers)
        {
            _handlers.Add(handler);
        }

        _accepted.Writer.TryWrite(handler);
        return handler;
    }

    /// <summary>The next connection that was accepted.</summary>
    public async Task<FakeHandler> AcceptedAsync() => await _accepted.Reader.ReadAsync().AsTask().WaitAsync(Wait.Limit);

    public Task<TestClient> ConnectAsync(int receiveBufferBytes = 0) => TestClient.ConnectAsync(Endpoint, receiveBufferBytes);

    public async ValueTask DisposeAsync()
    {
        await Transport.StopAsync(default).AsTask().WaitAsync(Wait.Limit);
        await Task.WhenAll(Handlers.Select(handler => handler.Disconnection)).WaitAsync(Wait.Limit);
        Assert.Empty(Handlers.SelectMany(handler => handler.BrokenRules));
        Assert.Equal(0, Transport.ConnectionCount);
        Assert.Equal(0, Transport.Buffers.Rented);
        Assert.DoesNotContain(Logs.Entries, entry => entry.Level >= LogLevel.Error);
    }
}
