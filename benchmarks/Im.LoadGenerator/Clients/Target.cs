using System.Net;
using Im.LoadGenerator.Wire;

namespace Im.LoadGenerator.Clients;

/// <summary>Where clients connect to.</summary>
internal sealed record Target(IPEndPoint Endpoint, TransportKind Transport, string Host, string Path)
{
    private const int ConnectionsPerSource = 20_000;

    /// <summary>The request that makes a WebSocket; the key may be the same each time, nobody checks the answer here.</summary>
    public string UpgradeRequest { get; } =
        $"GET {Path} HTTP/1.1\r\nHost: {Host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: bG9hZCBnZW5lcmF0b3IhIQ==\r\n"
        + $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {(Transport == TransportKind.WsJson ? "im.v1.json" : "im.v1.protobuf")}\r\n\r\n";

    /// <summary>On the loopback, more connections than an address has ports come from the addresses beside it.</summary>
    public IPAddress? SourceOf(int connection) =>
        connection >= ConnectionsPerSource && IPAddress.IsLoopback(Endpoint.Address)
            ? new IPAddress([127, 0, 0, (byte)(1 + (connection / ConnectionsPerSource))])
            : null;

    /// <summary><c>host:port</c> for TCP, <c>ws://host:port/path</c> for WebSocket.</summary>
    public static Target Parse(string address, TransportKind transport)
    {
        var text = address.Contains("://", StringComparison.Ordinal) ? address : (transport == TransportKind.Tcp ? "tcp://" : "ws://") + address;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Port <= 0 || uri.Scheme is not ("tcp" or "ws"))
        {
            throw new UsageException($"--server {address} is no address: use HOST:PORT with --transport tcp, ws://HOST:PORT/PATH with ws or ws-json (no TLS).");
        }

        var host = IPAddress.TryParse(uri.Host.Trim('[', ']'), out var parsed) ? parsed : Dns.GetHostAddresses(uri.Host)[0];
        return new Target(new IPEndPoint(host, uri.Port), transport, uri.Authority, uri.PathAndQuery);
    }
}
