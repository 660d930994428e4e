using System.Net.Security;
using System.Net.WebSockets;
using System.Text;
using Im.Protocol;
using Microsoft.Extensions.Logging;

namespace Im.Client;

/// <summary>How an <see cref="ImClient"/> connects and behaves. Read once, when the client is made.</summary>
public sealed class ImClientOptions
{
    /// <summary>
    /// Where the server is: <c>tcp://host:port</c>, <c>tls://host:port</c> (TCP with TLS), <c>ws://host/im</c> or <c>wss://host/im</c>.
    /// </summary>
    public required Uri Server { get; set; }

    /// <summary>
    /// Other nodes of the same cluster, as <see cref="Server"/>. A connect that fails and a connection that is lost make the next attempt go to the next
    /// one, round and round; a client that is connected stays where it is. Shuffle them per device, so that a node's devices spread over all others.
    /// </summary>
    /// <value>None.</value>
    public IReadOnlyList<Uri> MoreServers { get; set; } = [];

    /// <summary>Names this installation, 1 to 64 bytes. The same user and device connecting again replaces the older connection.</summary>
    public required string DeviceId { get; set; }

    /// <summary>What the server's host may show about the device.</summary>
    /// <value>Null.</value>
    public DeviceInfo? DeviceInfo { get; set; }

    /// <summary>
    /// Gives the token; asked at each connect, and again when 80 % of the token's lifetime are over, so that the connection outlives it. An <see cref="ImClientException"/> that it
    /// throws at a connect ends the client; after any other exception the client tries again later.
    /// </summary>
    /// <value>Null: no token, for an endpoint that has authenticated the user already.</value>
    public Func<CancellationToken, ValueTask<string>>? TokenProvider { get; set; }

    /// <summary>Where the cursors are kept.</summary>
    /// <value>A new <see cref="MemoryCursorStore"/>: each start of the process begins with a reset.</value>
    public ICursorStore CursorStore { get; set; } = new MemoryCursorStore();

    /// <summary>The clock of all delays and timeouts.</summary>
    /// <value><see cref="System.TimeProvider.System"/>.</value>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>The upper bound of the random wait before the first reconnect; it doubles with each further one.</summary>
    /// <value>500 ms.</value>
    public TimeSpan ReconnectMinDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The limit of that doubling.</summary>
    /// <value>30 s.</value>
    public TimeSpan ReconnectMaxDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long connecting, TLS and signing in may take together.</summary>
    /// <value>15 s.</value>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long a request other than a send may take, waiting for a connection included, and for how long a send that the server refuses with
    /// "try again later" is tried again.
    /// </summary>
    /// <value>30 s.</value>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the client pings; a third of the server's idle timeout where that is less.</summary>
    /// <value>20 s.</value>
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long nothing may arrive after a ping until the server counts as dead; a third of its idle timeout where that is less.</summary>
    /// <value>10 s.</value>
    public TimeSpan PingTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How many sends and requests may be without an answer at once; further ones wait for room in the order of their calls.</summary>
    /// <value>256.</value>
    public int MaxInFlight { get; set; } = 256;

    /// <summary>
    /// How many events are buffered for <see cref="ImClient.ReadAsync"/>. While the buffer is full the client does not read its socket, unless
    /// the application waits for an answer; then it drops what does not fit and has it pushed again over a new connection.
    /// </summary>
    /// <value>1024.</value>
    public int EventBufferSize { get; set; } = 1024;

    /// <summary>The largest packet accepted from the server, in bytes.</summary>
    /// <value>4 MiB.</value>
    public int MaxPacketBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>How long cursor movements are gathered before they are saved and told to the server.</summary>
    /// <value>1 s.</value>
    public TimeSpan CursorSaveInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>After how many finished events the cursors are saved and told to the server before the interval is over.</summary>
    /// <value>100.</value>
    public int CursorSaveEntries { get; set; } = 100;

    /// <summary>Receives the client's log.</summary>
    /// <value>Null: no log.</value>
    public ILogger? Logger { get; set; }

    /// <summary>Changes the TLS options of a <c>tls://</c> connection; called at each connect.</summary>
    /// <value>Null: the host's name of the <see cref="Server"/> and the system's certificate checks.</value>
    public Action<SslClientAuthenticationOptions>? ConfigureTls { get; set; }

    /// <summary>Changes the options of a WebSocket, for example cookies and headers; called at each connect.</summary>
    /// <value>Null.</value>
    public Action<ClientWebSocketOptions>? ConfigureWebSocket { get; set; }

    /// <summary>
    /// Opens the connection of a <c>tcp://</c> server in place of a socket, for servers in the same process: bytes as on TCP, and the client disposes
    /// the stream. Null: a socket.
    /// </summary>
    internal Func<CancellationToken, ValueTask<Stream>>? OpenStream { get; set; }

    /// <summary>Throws with all mistakes at once.</summary>
    internal void Validate()
    {
        var errors = new List<string>();
        IsServer(Server, nameof(Server));
        NotNull(MoreServers, nameof(MoreServers));
        foreach (var server in MoreServers ?? [])
        {
            IsServer(server, nameof(MoreServers));
        }

        if (string.IsNullOrEmpty(DeviceId) || Encoding.UTF8.GetByteCount(DeviceId) > 64)
        {
            errors.Add("DeviceId must be 1 to 64 bytes; make one at installation and keep it, for example Guid.NewGuid().ToString(\"N\").");
        }

        NotNull(CursorStore, nameof(CursorStore));
        NotNull(TimeProvider, nameof(TimeProvider));
        Positive(ReconnectMinDelay, nameof(ReconnectMinDelay));
        Positive(ConnectTimeout, nameof(ConnectTimeout));
        Positive(RequestTimeout, nameof(RequestTimeout));
        Positive(PingInterval, nameof(PingInterval));
        Positive(PingTimeout, nameof(PingTimeout));
        Positive(CursorSaveInterval, nameof(CursorSaveInterval));
        AtLeastOne(MaxInFlight, nameof(MaxInFlight));
        AtLeastOne(EventBufferSize, nameof(EventBufferSize));
        AtLeastOne(MaxPacketBytes, nameof(MaxPacketBytes));
        AtLeastOne(CursorSaveEntries, nameof(CursorSaveEntries));
        if (ReconnectMaxDelay < ReconnectMinDelay)
        {
            errors.Add("ReconnectMaxDelay must not be less than ReconnectMinDelay.");
        }

        if (errors.Count > 0)
        {
            throw new ArgumentException("ImClientOptions: " + string.Join(" ", errors));
        }

        void IsServer(Uri? server, string name)
        {
            if (server is not { IsAbsoluteUri: true } || server.Scheme is not ("tcp" or "tls" or "ws" or "wss"))
            {
                errors.Add($"{name} must be tcp://host:port, tls://host:port, ws://host/im or wss://host/im.");
            }
            else if (server.Scheme is "tcp" or "tls" && server.Port <= 0)
            {
                errors.Add($"{name} needs a port, for example {server.Scheme}://{server.Host}:9000.");
            }
        }

        void NotNull(object? value, string name)
        {
            if (value is null)
            {
                errors.Add($"{name} must not be null.");
            }
        }

        void Positive(TimeSpan value, string name)
        {
            if (value <= TimeSpan.Zero || value > TimeSpan.FromDays(1))
            {
                errors.Add($"{name} must be more than zero and at most one day.");
            }
        }

        void AtLeastOne(int value, string name)
        {
            if (value < 1)
            {
                errors.Add($"{name} must be at least 1.");
            }
        }
    }

    /// <summary>A copy, so that later changes by the application change nothing.</summary>
    internal ImClientOptions Copy()
    {
        var copy = (ImClientOptions)MemberwiseClone();
        copy.MoreServers = [.. MoreServers];
        return copy;
    }
}
