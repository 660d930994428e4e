namespace Im.Connections;

/// <summary>A way for clients to connect. A transport hands connections to the core; the core does not know sockets.</summary>
/// <remarks>
/// The server calls the methods once each, in the order in which they stand here. A transport whose listening is somebody else's work
/// (an endpoint of the host's web server) accepts between <see cref="StartAsync"/> and <see cref="StopAcceptingAsync"/> and refuses otherwise.
/// </remarks>
public interface IImTransport
{
    /// <summary>For logs and metric tags, for example <c>tcp</c>.</summary>
    string Name { get; }

    /// <summary>Begins to accept. Throws where it cannot listen; the host's start then fails with that message.</summary>
    ValueTask StartAsync(IConnectionAcceptor acceptor, CancellationToken cancellationToken);

    /// <summary>Accepts no more; existing connections go on.</summary>
    ValueTask StopAcceptingAsync(CancellationToken cancellationToken);

    /// <summary>Aborts what is still connected, waits for its loops to end and releases everything.</summary>
    ValueTask StopAsync(CancellationToken cancellationToken);
}

/// <summary>The core's door: a transport reports each new connection here.</summary>
public interface IConnectionAcceptor
{
    /// <summary>
    /// Takes a connection over. Never refuses and never throws: a connection that is one too many gets a handler that has nothing for it
    /// but a Close packet, and is closed through <see cref="TransportConnection.Close"/> like any other.
    /// </summary>
    IConnectionHandler Accept(TransportConnection connection);
}
