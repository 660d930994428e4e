using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Im.LocalServers;

namespace Im.Client.Tests;

/// <summary>A listener on a free loopback port whose connections the test plays by hand.</summary>
internal sealed class FakeServer : IDisposable
{
    private readonly LoopbackPort _port = new();
    private readonly TcpListener _listener;
    private readonly bool _webSocket;

    public FakeServer(bool webSocket = false)
    {
        _webSocket = webSocket;
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
    }

    public int Port => _port.Number;

    public Uri Uri => new(_webSocket ? $"ws://127.0.0.1:{Port}/im" : $"tcp://127.0.0.1:{Port}");

    public string HttpRequest { get; private set; } = "";

    public bool HasPending => _listener.Pending();

    public async Task<FakeConnection> AcceptAsync()
    {
        var stream = await AcceptStreamAsync();
        if (!_webSocket)
        {
            return new FakeConnection(stream, null);
        }

        HttpRequest = await ReadHeadersAsync(stream);
        var key = HttpRequest.Split("\r\n").Single(l => l.StartsWith("Sec-WebSocket-Key:", StringComparison.OrdinalIgnoreCase)).Split(": ")[1];
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: im.v1.protobuf\r\n"
            + $"Sec-WebSocket-Accept: {accept}\r\n\r\n"));
        return new FakeConnection(stream, WebSocket.CreateFromStream(
            stream, new WebSocketCreationOptions { IsServer = true, SubProtocol = "im.v1.protobuf" }));
    }

    public async Task<NetworkStream> AcceptStreamAsync() =>
        new(await _listener.AcceptSocketAsync().WaitAsync(Wait.Limit), ownsSocket: true);

    public async Task AnswerHttpAsync(int status)
    {
        await using var stream = await AcceptStreamAsync();
        await ReadHeadersAsync(stream);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    }

    /// <summary>Goes away: connections are refused from now on. The port stays this server's.</summary>
    public void Leave() => _listener.Stop();

    public void Dispose()
    {
        _listener.Dispose();
        _port.Dispose();
    }

    private static async Task<string> ReadHeadersAsync(Stream stream)
    {
        var text = new StringBuilder();
        var one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one).AsTask().WaitAsync(Wait.Limit);
            text.Append((char)one[0]);
        }

        return text.ToString();
    }
}
