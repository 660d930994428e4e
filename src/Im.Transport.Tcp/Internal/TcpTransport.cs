using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Im.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Transport.Tcp.Internal;

/// <summary>The TCP transport: listeners, and the set of connections that they accepted.</summary>
internal sealed class TcpTransport : IImTransport, ITcpTransportEndpoints
{
    public const string TransportName = "tcp";

    // How long the loops of cut connections may take; they wait for nothing but the handler.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly TcpConnectionContext _context;
    private readonly TcpConnectionSet _connections = new();
    private TcpEndpointListener[] _listeners = [];

    public TcpTransport(IOptions<TcpTransportOptions> options, TimeProvider time, ILoggerFactory loggers)
    {
        var buffers = new CountedBufferPool();
        var batches = new PacketBatchPool(buffers, options.Value.MaxWriteBytes);
        _context = new TcpConnectionContext(options.Value, buffers, batches, time, loggers.CreateLogger("Im.Transport.Tcp"));
    }

    public string Name => TransportName;

    public IReadOnlyList<IPEndPoint> BoundEndpoints { get; private set; } = [];

    /// <summary>For tests: what is rented and who is connected.</summary>
    internal CountedBufferPool Buffers => _context.Buffers;

    internal int ConnectionCount => _connections.Count;

    public async ValueTask StartAsync(IConnectionAcceptor acceptor, CancellationToken cancellationToken)
    {
        var endpoints = _context.Options.EffectiveEndpoints();
        var listeners = new List<TcpEndpointListener>(endpoints.Count);
        try
        {
            // All are bound before the first one accepts: a start that fails has served nobody.
            listeners.AddRange(endpoints.Select(endpoint => Bind(endpoint, acceptor)));
        }
        catch
        {
            foreach (var listener in listeners)
            {
                await listener.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }

        _listeners = [.. listeners];
        BoundEndpoints = [.. listeners.Select(listener => listener.Endpoint)];
        listeners.ForEach(listener => listener.Start());
    }

    public async ValueTask StopAcceptingAsync(CancellationToken cancellationToken)
    {
        foreach (var listener in Interlocked.Exchange(ref _listeners, []))
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask StopAsync(CancellationToken cancellationToken)
    {
        await StopAcceptingAsync(cancellationToken).ConfigureAwait(false);
        foreach (var connection in _connections.Snapshot())
        {
            connection.Abort(CloseReason.Stopped);
        }

        try
        {
            await _connections.WhenEmptyAsync().WaitAsync(StopTimeout, _context.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            Log.ConnectionsLeft(_context.Logger, _connections.Count);
        }

        _context.Batches.Dispose();
        BoundEndpoints = [];
    }

    private TcpEndpointListener Bind(TcpEndpointOptions endpoint, IConnectionAcceptor acceptor)
    {
        var tls = TlsOf(endpoint);
        var socket = ListeningSocket.Bind(endpoint, _context.Options.Backlog);
        Log.Listening(_context.Logger, socket.Endpoint, tls is not null);
        if (tls is null && !IPAddress.IsLoopback(socket.Endpoint.Address))
        {
            Log.NoTls(_context.Logger, socket.Endpoint);
        }

        return new TcpEndpointListener(socket, client => Accepted(client, tls, acceptor), _context.Time, _context.Logger);
    }

    private void Accepted(Socket socket, SslServerAuthenticationOptions? tls, IConnectionAcceptor acceptor)
    {
        try
        {
            socket.NoDelay = _context.Options.NoDelay;
            socket.SendBufferSize = _context.Options.SendBufferBytes;
        }
        catch (SocketException)
        {
            socket.Dispose(); // reset before it began
            return;
        }

        var connection = new TcpConnection(socket, tls, _context);
        _connections.Add(connection);
        _ = RunAsync(connection, acceptor);
    }

    private async Task RunAsync(TcpConnection connection, IConnectionAcceptor acceptor)
    {
        try
        {
            await connection.RunAsync(acceptor);
        }
        finally
        {
            _connections.Remove(connection);
        }
    }

    private static SslServerAuthenticationOptions? TlsOf(TcpEndpointOptions endpoint) =>
        endpoint.Certificate is { } certificate
            ? new() { ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true) }
            : endpoint.Tls;
}
