using Im.Connections;
using Im.Protocol;

namespace Im.Testing.Internal;

/// <summary>A transport without sockets: clients of the same process connect by a call.</summary>
internal sealed class MemoryTransport(TimeSpan? closeTimeout = null) : IImTransport
{
    public const string TransportName = "memory";

    // By the real clock: the network is not what a test's clock is about.
    private readonly TimeSpan _closeTimeout = closeTimeout ?? TimeSpan.FromSeconds(5);

    /// <summary>Protects the three fields below.</summary>
    private readonly Lock _gate = new();
    private readonly Dictionary<MemoryConnection, MemoryLink> _connections = [];
    private IConnectionAcceptor? _acceptor;
    private bool _isStopped;

    public string Name => TransportName;

    public int ConnectionCount
    {
        get
        {
            lock (_gate)
            {
                return _connections.Count;
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
            _isStopped = true;
        }

        return ValueTask.CompletedTask;
    }

    public async ValueTask StopAsync(CancellationToken cancellationToken)
    {
        await StopAcceptingAsync(cancellationToken);
        KeyValuePair<MemoryConnection, MemoryLink>[] left;
        lock (_gate)
        {
            left = [.. _connections];
        }

        foreach (var (_, link) in left)
        {
            link.Cut();
        }

        await Task.WhenAll(left.Select(pair => pair.Key.Ended)).WaitAsync(cancellationToken);
    }

    /// <summary>Connects; throws <see cref="IOException"/> where nobody accepts.</summary>
    public (MemoryLink Link, MemoryConnection Server) Connect(string address = "", Action<ImCloseCode, string>? closed = null)
    {
        var link = new MemoryLink();
        var connection = new MemoryConnection(link, address, _closeTimeout) { Closed = closed };
        IConnectionAcceptor acceptor;
        lock (_gate)
        {
            acceptor = _acceptor ?? throw new IOException(_isStopped ? "The server accepts no more." : "The server has not started.");
            _connections.Add(connection, link);
        }

        _ = RunAsync(connection, acceptor);
        return (link, connection);
    }

    private async Task RunAsync(MemoryConnection connection, IConnectionAcceptor acceptor)
    {
        try
        {
            await connection.RunAsync(acceptor);
        }
        finally
        {
            lock (_gate)
            {
                _connections.Remove(connection);
            }
        }
    }
}
