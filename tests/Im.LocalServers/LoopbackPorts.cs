using System.Net;
using System.Net.Sockets;

namespace Im.LocalServers;

/// <summary>Free ports of 127.0.0.1.</summary>
public static class LoopbackPorts
{
    /// <summary>A port that was free a moment ago. Somebody else may take it first: whoever uses it must be ready to try another.</summary>
    public static int Next()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
