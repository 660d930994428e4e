using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Im.Protocol;

namespace Im.Client.Tests;

public sealed class TlsTests : ClientTest
{
    [Fact]
    public async Task TcpWithTlsUsesTheHostsNameAndTheApplicationsChecks()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string? target = null;
        var client = NewClient(o =>
        {
            o.Server = new Uri($"tls://127.0.0.1:{Server.Port}");
            o.ConfigureTls = tls =>
            {
                target = tls.TargetHost;
                tls.RemoteCertificateValidationCallback = (_, remote, _, _) => remote!.GetCertHashString() == certificate.GetCertHashString();
            };
        });
        var connecting = client.ConnectAsync();
        await using var stream = new SslStream(await Server.AcceptStreamAsync());
        await stream.AuthenticateAsServerAsync(certificate).WaitAsync(Wait.Limit);
        var packet = ClientPacket.Parser.ParseDelimitedFrom(stream);
        new ServerPacket { RequestId = packet.RequestId, SignedIn = new SignedIn { UserId = "alice", Generation = "g" } }.WriteDelimitedTo(stream);
        await connecting.WaitAsync(Wait.Limit);
        Assert.Equal("127.0.0.1", target);
    }
}
