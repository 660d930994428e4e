using System.Net;
using System.Net.Sockets;

namespace Im.LocalServers;

/// <summary>A port of 127.0.0.1 that nobody else is given until this object is disposed of.</summary>
/// <remarks>
/// Its socket is bound and never listens. Whoever asks for this port by its number may listen on it, again and again; who asks for any free port does not
/// get it, neither to listen nor to connect from. In between connections to it are refused.
/// </remarks>
public sealed class LoopbackPort : IDisposable
{
    private readonly Socket _holder = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>Takes a port that was free.</summary>
    public LoopbackPort()
    {
        _holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Number = ((IPEndPoint)_holder.LocalEndPoint!).Port;
    }

    /// <summary>The port.</summary>
    public int Number { get; }

    /// <inheritdoc/>
    public void Dispose() => _holder.Dispose();
}
