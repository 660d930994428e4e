using System.Collections.Concurrent;
using Im.Diagnostics;
using Im.Protocol;
using Microsoft.Extensions.Logging;

namespace Im.Connections;

/// <summary>All connections of this node, with the limits on their number.</summary>
/// <remarks>Thread-safe. A connection is counted from its acceptance until the transport says that it is gone.</remarks>
internal sealed class ConnectionRegistry(ConnectionServices services, SessionRegistry sessions) : IConnectionAcceptor
{
    private readonly ConcurrentDictionary<Connection, string> _connections = new();
    private readonly ConcurrentDictionary<string, int> _perAddress = new(StringComparer.Ordinal);
    private volatile bool _isStopping;
    private long _lastNumber;
    private int _count;

    public SessionRegistry Sessions { get; } = sessions;

    public int Count => Volatile.Read(ref _count);

    /// <summary>The server takes no new work.</summary>
    public bool IsStopping => _isStopping;

    /// <summary>The connections now.</summary>
    public IEnumerable<Connection> All => _connections.Select(pair => pair.Key);

    public IConnectionHandler Accept(TransportConnection transport)
    {
        var connection = new Connection(Interlocked.Increment(ref _lastNumber), transport, this, services);
        var address = transport.RemoteAddress;
        _connections.TryAdd(connection, address);
        var count = Interlocked.Increment(ref _count);
        var fromAddress = address.Length == 0 ? 0 : _perAddress.AddOrUpdate(address, 1, static (_, other) => other + 1);
        services.Metrics.ConnectionOpened(transport.Transport);

        if (_isStopping)
        {
            connection.Close(ImCloseCode.Shutdown, "The server is shutting down.", RandomDelay());
        }
        else if (count > services.Options.MaxConnections || fromAddress > services.Options.MaxConnectionsPerAddress)
        {
            var reason = count > services.Options.MaxConnections
                ? "The server has as many connections as it accepts (MaxConnections)."
                : "There are too many connections from this address (MaxConnectionsPerAddress).";
            Log.ConnectionRefused(services.Logger, address, reason);
            connection.Close(ImCloseCode.TooManyConnections, reason, RandomDelay());
        }

        return connection;
    }

    public void Remove(Connection connection)
    {
        if (!_connections.TryRemove(connection, out var address))
        {
            return;
        }

        Interlocked.Decrement(ref _count);
        while (address.Length > 0 && _perAddress.TryGetValue(address, out var count))
        {
            if (count > 1 ? _perAddress.TryUpdate(address, count - 1, count) : _perAddress.TryRemove(KeyValuePair.Create(address, count)))
            {
                break;
            }
        }
    }

    /// <summary>The session is over, here and in the directory.</summary>
    public void End(Session session)
    {
        session.Close();
        Sessions.Remove(session);
        services.Presence.Remove(session);
        services.ClusterSessions.Remove(session);
    }

    /// <summary>From now on new connections are turned away.</summary>
    public void StopAccepting() => _isStopping = true;

    /// <summary>A random part of <c>ReconnectSpread</c>, so that clients do not come back all at once.</summary>
    public TimeSpan RandomDelay() => services.Options.ReconnectSpread * Random.Shared.NextDouble();
}
