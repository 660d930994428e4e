using System.Net.Security;
using System.Net.Sockets;

namespace Im.Transport.Tcp.Internal;

/// <summary>A socket, or a socket under TLS, behind the five things a connection does with it.</summary>
/// <remarks>A struct: a plain connection pays for no further object. Reading and writing may run beside each other, one of each.</remarks>
internal readonly struct SocketChannel(Socket socket, SslServerAuthenticationOptions? tls)
{
    private readonly SslStream? _tls = tls is null ? null : new SslStream(new NetworkStream(socket, ownsSocket: false));

    /// <summary>TLS only: makes the two sides known to each other.</summary>
    public async ValueTask HandshakeAsync(TimeSpan timeout, TimeProvider time)
    {
        if (_tls is null)
        {
            return;
        }

        using var deadline = new CancellationTokenSource(timeout, time);
        try
        {
            await _tls.AuthenticateAsServerAsync(tls!, deadline.Token);
        }
        catch (OperationCanceledException error)
        {
            throw new IOException($"The TLS handshake took longer than {timeout}.", error);
        }
    }

    /// <summary>Waits until there is something to read (or the end), without a buffer.</summary>
    public ValueTask<int> WaitForDataAsync() => ReceiveAsync(Memory<byte>.Empty);

    /// <summary>Whether a receive ends at once: there is data, or the end.</summary>
    public bool IsReadable => _tls is not null || socket.Available > 0 || socket.Poll(0, SelectMode.SelectRead);

    /// <summary>Receives what is there; 0 is the end.</summary>
    public ValueTask<int> ReceiveAsync(Memory<byte> space) =>
        _tls is null ? socket.ReceiveAsync(space, SocketFlags.None) : _tls.ReadAsync(space);

    /// <summary>Sends the segments and returns how many bytes went; perhaps not all.</summary>
    public ValueTask<int> SendAsync(SocketSender sender, List<ArraySegment<byte>> segments) =>
        _tls is null ? sender.SendAsync(socket, segments) : SendOverTlsAsync(_tls, segments[0]);

    /// <summary>Tells the client that nothing more comes.</summary>
    public async ValueTask ShutdownSendAsync()
    {
        if (_tls is not null)
        {
            await _tls.ShutdownAsync();
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Ends whatever is pending. A reset for the client, unless sending was shut down. From any thread.</summary>
    public void Abort() => socket.Dispose();

    /// <summary>Releases everything; nothing may be pending.</summary>
    public void Dispose()
    {
        _tls?.Dispose();
        socket.Dispose();
    }

    private static async ValueTask<int> SendOverTlsAsync(SslStream stream, ArraySegment<byte> segment)
    {
        await stream.WriteAsync(segment);
        return segment.Count;
    }
}
