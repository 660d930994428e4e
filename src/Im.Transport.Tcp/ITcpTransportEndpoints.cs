using System.Net;

namespace Im.Transport.Tcp;

/// <summary>Where the TCP transport listens; a service of the host, for those who asked for port 0.</summary>
public interface ITcpTransportEndpoints
{
    /// <summary>
    /// The addresses with their true ports, in the order of <see cref="TcpTransportOptions.Endpoints"/>, the one of
    /// <see cref="TcpTransportOptions.Port"/> first. Empty before the start and after the end.
    /// </summary>
    IReadOnlyList<IPEndPoint> BoundEndpoints { get; }
}
