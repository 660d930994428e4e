using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Im.Protocol;
using Im.Transport.Tcp.Tests.Support;

namespace Im.Transport.Tcp.Tests;

public sealed class TlsTests : IDisposable
{
    private readonly X509Certificate2 _certificate = CreateCertificate();

    public void Dispose() => _certificate.Dispose();

    [Fact]
    public async Task PacketsComeBackOverTlsAndAnIdleConnectionHoldsNoBuffer()
    {
        await using var server = await StartAsync();
        using var client = await ConnectAsync(server);
        foreach (var size in new[] { 0, 1, 1000, 5000, 200_000 })
        {
            var packet = new Random(size).Bytes(size);
            await client.SendPacketAsync(packet);
            Assert.Equal(packet, await client.ReceiveAsync());
        }

        await Wait.UntilAsync(() => server.Transport.Buffers.Rented == 0);
    }

    [Fact]
    public async Task TheLastPacketArrivesOverTls()
    {
        await using var server = await StartAsync();
        using var client = await ConnectAsync(server);
        var handler = await server.AcceptedAsync();
        handler.Enqueue(new byte[] { 9 });
        handler.Connection.Close(ImCloseCode.Shutdown, "test");
        Assert.Equal([9], await client.ReceiveAsync());
        Assert.Null(await client.ReceiveAsync());
        client.Dispose();
        Assert.Null(await handler.Disconnection.WaitAsync(Wait.Limit));
    }

    [Fact]
    public async Task AClientThatSpeaksNoTlsIsDisconnected()
    {
        await using var server = await StartAsync();
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        await client.SendAsync(Frames.Of(new byte[100]));
        Assert.IsAssignableFrom<Exception>(await handler.Disconnection.WaitAsync(Wait.Limit));
        Assert.Empty(handler.Received);
    }

    [Fact]
    public async Task AHandshakeThatTakesTooLongIsCut()
    {
        await using var server = await StartAsync(options => options.TlsHandshakeTimeout = TimeSpan.FromMilliseconds(100));
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        Assert.IsType<IOException>(await handler.Disconnection.WaitAsync(Wait.Limit));
        Assert.Equal(0, await client.ReadToEndAsync());
    }

    [Fact]
    public async Task ACloseDuringTheHandshakeEndsIt()
    {
        await using var server = await StartAsync(options => options.CloseTimeout = TimeSpan.FromMilliseconds(100));
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        handler.Connection.Close(ImCloseCode.SignInTimeout, "test");
        await handler.Disconnection.WaitAsync(Wait.Limit);
        Assert.Equal(0, handler.Writes);
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    private static async Task<TestClient> ConnectAsync(TestServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Endpoint).WaitAsync(Wait.Limit);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, _, _, _) => true);
        await stream.AuthenticateAsClientAsync("localhost").WaitAsync(Wait.Limit);
        Assert.True(stream.SslProtocol >= SslProtocols.Tls12);
        return new TestClient(socket, stream);
    }

    private Task<TestServer> StartAsync(Action<TcpTransportOptions>? configure = null) => TestServer.StartEchoAsync(options =>
    {
        options.Endpoints.Add(new() { Address = IPAddress.Loopback, Port = 0, Certificate = _certificate });
        configure?.Invoke(options);
    });
}
