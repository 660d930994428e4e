namespace Im.Transport.WebSockets;

/// <summary>Limits and rules of the WebSocket transport.</summary>
public sealed class WebSocketTransportOptions
{
    /// <summary>
    /// The origins whose pages may connect, each as the browser sends it: <c>https://chat.example.com</c>, with a port where it is not the
    /// scheme's own. One entry <c>*</c> lets every page in. Requests without an Origin header (native clients) are always let in.
    /// </summary>
    /// <value>Empty: only pages of the request's own host and port. A list that is not empty is the whole list; name the own origin too.</value>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>
    /// How long a closing connection may take: writing what is queued, sending the close frame and waiting for the client's. It is aborted then.
    /// </summary>
    /// <value>5 seconds; from 100 milliseconds to 5 minutes.</value>
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// After how many gathered bytes packets are handed to the web server in one write; more waits in the session's queue. A packet that is
    /// longer goes in one write of its own.
    /// </summary>
    /// <value>65,536 bytes; from 1,024 to 16,777,216.</value>
    public int MaxWriteBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// The kernel's send buffer of a connection, so that a client that does not read costs bounded memory there too. It is set where the web
    /// server shows the socket (Kestrel) and the socket belongs to this connection alone (HTTP/1.1).
    /// </summary>
    /// <value>131,072 bytes; from 4,096 to 16,777,216. Null leaves the operating system's own, which may grow to megabytes.</value>
    public int? SocketSendBufferBytes { get; set; } = 128 * 1024;
}
