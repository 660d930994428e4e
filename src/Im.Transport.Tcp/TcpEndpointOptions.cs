using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Im.Transport.Tcp;

/// <summary>One address and port to listen on.</summary>
public sealed class TcpEndpointOptions
{
    /// <summary>The address to listen on. <see cref="IPAddress.IPv6Any"/> is every address, IPv4 too.</summary>
    /// <value>Default: <see cref="IPAddress.IPv6Any"/>; where there is no IPv6, <see cref="IPAddress.Any"/> is used in its place.</value>
    public IPAddress Address { get; set; } = IPAddress.IPv6Any;

    /// <summary>The port; 0 takes any free one.</summary>
    /// <value>Default: 9000.</value>
    public int Port { get; set; } = TcpTransportOptions.DefaultPort;

    /// <summary>A certificate with its private key: clients must use TLS on this endpoint. The host stays its owner.</summary>
    /// <value>Default: none, no TLS.</value>
    public X509Certificate2? Certificate { get; set; }

    /// <summary>In place of <see cref="Certificate"/>: client certificates, protocols, a certificate per server name.</summary>
    /// <value>Default: none.</value>
    public SslServerAuthenticationOptions? Tls { get; set; }
}
