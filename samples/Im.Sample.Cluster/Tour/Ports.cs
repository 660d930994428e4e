using System.Net;
using System.Net.Sockets;

namespace Im.Sample.Cluster.Tour;

internal static class Ports
{
    /// <summary>A loopback port that was free just now.</summary>
    public static int Free()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>Waits until somebody listens there.</summary>
    public static async Task WhenOpenAsync(int port, Func<string?> failure, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port, limit.Token);
                return;
            }
            catch (SocketException)
            {
                if (failure() is { } why)
                {
                    throw new TourException(why);
                }

                await Task.Delay(50, limit.Token);
            }
        }
    }
}
