using System.Net;
using System.Net.Sockets;

namespace Im.Transport.Tcp.Tests.Support;

/// <summary>A client over a raw stream; every wait is limited.</summary>
internal sealed class TestClient(Socket socket, Stream stream) : IDisposable
{
    public Socket Socket => socket;

    public static async Task<TestClient> ConnectAsync(EndPoint endpoint, int receiveBufferBytes = 0)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBufferBytes > 0)
        {
            socket.ReceiveBufferSize = receiveBufferBytes;
        }

        await socket.ConnectAsync(endpoint).WaitAsync(Wait.Limit);
        return new TestClient(socket, new NetworkStream(socket, ownsSocket: true));
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await stream.WriteAsync(bytes).AsTask().WaitAsync(Wait.Limit);

    public Task SendPacketAsync(byte[] packet) => SendAsync(Frames.Of(packet));

    /// <summary>The next packet; null at the end of the stream.</summary>
    public async Task<byte[]?> ReceiveAsync()
    {
        var length = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = new byte[1];
            if (await stream.ReadAsync(next).AsTask().WaitAsync(Wait.Limit) == 0)
            {
                return null;
            }

            length |= (next[0] & 0x7F) << shift;
            if ((next[0] & 0x80) == 0)
            {
                break;
            }
        }

        var packet = new byte[length];
        await stream.ReadExactlyAsync(packet).AsTask().WaitAsync(Wait.Limit);
        return packet;
    }

    /// <summary>Reads to the end; a reset is an end too.</summary>
    public async Task<long> ReadToEndAsync()
    {
        var buffer = new byte[64 * 1024];
        long total = 0;
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer).AsTask().WaitAsync(Wait.Limit)) > 0)
            {
                total += read;
            }
        }
        catch (IOException)
        {
        }

        return total;
    }

    /// <summary>Cuts the connection with a reset.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public void Dispose() => stream.Dispose();
}
