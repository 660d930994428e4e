namespace Im.Transport.Tcp;

/// <summary>Where the TCP transport listens, and its limits. Validated at start, all errors at once.</summary>
public sealed class TcpTransportOptions
{
    internal const int DefaultPort = 9000;

    private int? _port;

    /// <summary>
    /// The short way to one endpoint on every address, without TLS; 0 takes any free port. Setting it adds to <see cref="Endpoints"/>.
    /// </summary>
    /// <value>Default: 9000, used when there are no <see cref="Endpoints"/>.</value>
    public int Port
    {
        get => _port ?? DefaultPort;
        set => _port = value;
    }

    /// <summary>Any number of endpoints, each with or without TLS.</summary>
    /// <value>Default: none, only <see cref="Port"/>.</value>
    public IList<TcpEndpointOptions> Endpoints { get; } = [];

    /// <summary>How many connections the kernel keeps per endpoint until they are accepted.</summary>
    /// <value>Default: 512.</value>
    public int Backlog { get; set; } = 512;

    /// <summary>Small packets are sent at once (Nagle's algorithm is off).</summary>
    /// <value>Default: true.</value>
    public bool NoDelay { get; set; } = true;

    /// <summary>
    /// The kernel's send buffer per connection, in bytes, so that a client that does not read cannot collect megabytes there.
    /// Linux doubles the number for its own book-keeping.
    /// </summary>
    /// <value>Default: 128 KiB.</value>
    public int SendBufferBytes { get; set; } = 128 * 1024;

    /// <summary>
    /// How many bytes are gathered for one socket write; one packet may be larger. Also what a client that does not read can hold back.
    /// </summary>
    /// <value>Default: 64 KiB.</value>
    public int MaxWriteBytes { get; set; } = 64 * 1024;

    /// <summary>How long a connection that is being closed may take to write what is queued; then it is cut.</summary>
    /// <value>Default: 5 seconds.</value>
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a TLS handshake may take.</summary>
    /// <value>Default: 10 seconds.</value>
    public TimeSpan TlsHandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What is really listened on: the endpoint of <see cref="Port"/> if set or the only one, then the others.</summary>
    internal IReadOnlyList<TcpEndpointOptions> EffectiveEndpoints() =>
        _port is null && Endpoints.Count > 0 ? [.. Endpoints] : [new TcpEndpointOptions { Port = Port }, .. Endpoints];
}
