using System.Net;
using System.Net.Sockets;

namespace Im.Transport.Tcp.Internal;

/// <summary>What the accept loop needs of a listening socket; tests put failures behind it.</summary>
internal interface IListeningSocket : IDisposable
{
    IPEndPoint Endpoint { get; }

    ValueTask<Socket> AcceptAsync(CancellationToken cancellationToken);
}

/// <summary>A bound, listening socket.</summary>
internal sealed class ListeningSocket : IListeningSocket
{
    private readonly Socket _socket;

    private ListeningSocket(Socket socket)
    {
        _socket = socket;
        Endpoint = (IPEndPoint)socket.LocalEndPoint!;
    }

    public IPEndPoint Endpoint { get; }

    /// <summary>Binds and listens; throws an <see cref="IOException"/> that names the endpoint.</summary>
    public static ListeningSocket Bind(TcpEndpointOptions endpoint, int backlog)
    {
        try
        {
            if (!endpoint.Address.Equals(IPAddress.IPv6Any))
            {
                return Bind(endpoint.Address, endpoint.Port, backlog);
            }

            try
            {
                return Bind(IPAddress.IPv6Any, endpoint.Port, backlog);
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.AddressFamilyNotSupported
                or SocketError.ProtocolFamilyNotSupported or SocketError.AddressNotAvailable or SocketError.ProtocolNotSupported)
            {
                return Bind(IPAddress.Any, endpoint.Port, backlog); // no IPv6 here
            }
        }
        catch (SocketException error)
        {
            throw new IOException(Explain(new IPEndPoint(endpoint.Address, endpoint.Port), error.SocketErrorCode), error);
        }
    }

    public ValueTask<Socket> AcceptAsync(CancellationToken cancellationToken) => _socket.AcceptAsync(cancellationToken);

    public void Dispose() => _socket.Dispose();

    private static ListeningSocket Bind(IPAddress address, int port, int backlog)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(backlog);
            return new ListeningSocket(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static string Explain(IPEndPoint endpoint, SocketError error) => error switch
    {
        SocketError.AddressAlreadyInUse =>
            $"Cannot listen on {endpoint}: the port is in use. Stop who uses it or take another: "
            + $".AddTcpTransport(o => o.Port = {(endpoint.Port % 65535) + 1})",
        SocketError.AccessDenied =>
            $"Cannot listen on {endpoint}: not allowed. Ports below 1024 need rights; take a higher one: "
            + $".AddTcpTransport(o => o.Port = {TcpTransportOptions.DefaultPort})",
        _ => $"Cannot listen on {endpoint}: {error}.",
    };
}
