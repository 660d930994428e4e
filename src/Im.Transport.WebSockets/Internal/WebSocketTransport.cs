using Im.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ObjectPool;
using Microsoft.Extensions.Options;

namespace Im.Transport.WebSockets.Internal;

/// <summary>The transport as the core sees it. Listening is the web server's work; this one only says whether connections are taken.</summary>
internal sealed class WebSocketTransport : IImTransport
{
    public const string TransportName = "websocket";

    // Protects the fields below; _ended is completed outside.
    private readonly Lock _gate = new();
    private readonly HashSet<WebSocketConnection> _connections = [];
    private IConnectionAcceptor? _acceptor; // null: not accepting
    private TaskCompletionSource? _ended;

    public WebSocketTransport(IOptions<WebSocketTransportOptions> options, ILogger<WebSocketTransport> logger, TimeProvider time)
    {
        Options = options.Value;
        Logger = logger;
        Time = time;
        Writers = new DefaultObjectPool<FrameWriter>(new WriterPolicy(Buffers, Options.MaxWriteBytes));
    }

    public string Name => TransportName;

    public WebSocketTransportOptions Options { get; }

    public ILogger Logger { get; }

    public TimeProvider Time { get; }

    public BufferPool Buffers { get; } = new();

    public ObjectPool<FrameWriter> Writers { get; }

    public bool IsAccepting
    {
        get
        {
            lock (_gate)
            {
                return _acceptor is not null;
            }
        }
    }

    public ValueTask StartAsync(IConnectionAcceptor acceptor, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _acceptor = acceptor;
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask StopAcceptingAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _acceptor = null;
        }

        return ValueTask.CompletedTask;
    }

    public async ValueTask StopAsync(CancellationToken cancellationToken)
    {
        WebSocketConnection[] rest;
        Task ended;
        lock (_gate)
        {
            _acceptor = null;
            if (_connections.Count == 0)
            {
                return;
            }

            rest = [.. _connections];
            _ended ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            ended = _ended.Task;
        }

        foreach (var connection in rest)
        {
            connection.Abort();
        }

        await ended.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs a connection to its end. False: accepting has ended meanwhile, and nothing was done.</summary>
    public async Task<bool> TryRunAsync(WebSocketConnection connection)
    {
        IConnectionAcceptor acceptor;
        lock (_gate)
        {
            if (_acceptor is null)
            {
                return false;
            }

            acceptor = _acceptor;
            _connections.Add(connection);
        }

        try
        {
            await connection.RunAsync(acceptor).ConfigureAwait(false);
        }
        finally
        {
            TaskCompletionSource? ended;
            lock (_gate)
            {
                _connections.Remove(connection);
                ended = _connections.Count == 0 ? _ended : null;
            }

            ended?.TrySetResult();
        }

        return true;
    }

    private sealed class WriterPolicy(BufferPool buffers, int maxBytes) : IPooledObjectPolicy<FrameWriter>
    {
        public FrameWriter Create() => new(buffers) { MaxBytes = maxBytes };

        public bool Return(FrameWriter obj) => true;
    }
}
