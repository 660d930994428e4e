using System.Net;
using System.Net.Sockets;

namespace Im.ModelTests;

/// <summary>A TCP proxy for one device: it can cut a connection after some bytes of a direction, slow down, and stop forwarding.</summary>
/// <remarks>The lock protects the list of connections and the settings; it is never held over I/O.</remarks>
internal sealed class Link : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Func<IPEndPoint> _target;
    private readonly Statistics _statistics;
    private readonly Lock _gate = new();
    private readonly List<Pair> _pairs = [];
    private readonly Task _accepting;
    private TaskCompletionSource? _stalled;
    private int _delayMs;
    private bool _isDisposed;

    public Link(Func<IPEndPoint> target, Statistics statistics)
    {
        _target = target;
        _statistics = statistics;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(16);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Cuts the present connections after so many more bytes in one direction, so perhaps inside of a frame.</summary>
    public void CutAfter(bool toServer, int bytes)
    {
        lock (_gate)
        {
            foreach (var pair in _pairs)
            {
                pair.Budget(toServer) = bytes;
            }
        }
    }

    public void CutNow() => _statistics.Add("cuts at once", Forget());

    /// <summary>Drops all connections and what is in them, and says how many there were.</summary>
    public int Forget()
    {
        Pair[] pairs;
        lock (_gate)
        {
            pairs = [.. _pairs];
        }

        foreach (var pair in pairs)
        {
            pair.Abort();
        }

        return pairs.Length;
    }

    /// <summary>Stops forwarding in both directions until <see cref="Resume"/>.</summary>
    public void Stall()
    {
        lock (_gate)
        {
            _stalled ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Every forwarded piece takes so long; 0 = no delay.</summary>
    public void SetDelay(int milliseconds) => Volatile.Write(ref _delayMs, milliseconds);

    /// <summary>Forwards again. Connections that the device has given up meanwhile are cut: their late sign-in would replace the present one.</summary>
    public void Resume()
    {
        TaskCompletionSource? stalled;
        Pair[] givenUp = [];
        lock (_gate)
        {
            (stalled, _stalled) = (_stalled, null);
            if (stalled is not null)
            {
                givenUp = [.. _pairs.SkipLast(1)];
            }
        }

        foreach (var pair in givenUp)
        {
            pair.Abort();
        }

        stalled?.SetResult();
    }

    public async ValueTask DisposeAsync()
    {
        Resume();
        lock (_gate)
        {
            _isDisposed = true;
        }

        _listener.Dispose();
        Forget();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptAsync();
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 8192 };
        using var _ = client;
        client.NoDelay = true;
        client.SendBufferSize = 8192;
        var pair = new Pair(client, server);
        try
        {
            await server.ConnectAsync(_target());
            lock (_gate)
            {
                if (_isDisposed)
                {
                    return;
                }

                _pairs.Add(pair);
            }

            await Task.WhenAll(PumpAsync(pair, client, server, true), PumpAsync(pair, server, client, false));
        }
        catch (SocketException)
        {
            // The server is not there.
        }
        finally
        {
            lock (_gate)
            {
                _pairs.Remove(pair);
            }
        }
    }

    private async Task PumpAsync(Pair pair, Socket from, Socket to, bool toServer)
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                var count = await from.ReceiveAsync(buffer);
                while (Volatile.Read(ref _stalled)?.Task is { } stalled)
                {
                    await stalled;
                }

                if (Volatile.Read(ref _delayMs) is var delay and > 0)
                {
                    await Task.Delay(delay);
                }

                if (count == 0)
                {
                    to.Shutdown(SocketShutdown.Send);
                    return;
                }

                var allowed = count;
                lock (_gate)
                {
                    ref var budget = ref pair.Budget(toServer);
                    if (budget >= 0)
                    {
                        allowed = Math.Min(count, budget);
                        budget -= allowed;
                    }
                }

                for (var sent = 0; sent < allowed;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, allowed - sent));
                }

                if (allowed < count)
                {
                    _statistics.Add(toServer ? "cuts inside what a client wrote" : "cuts inside what the server wrote");
                    pair.Abort();
                    return;
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            pair.Abort();
        }
    }

    private sealed class Pair(Socket client, Socket server)
    {
        private int _toServer = -1;
        private int _toClient = -1;

        public ref int Budget(bool toServer) => ref toServer ? ref _toServer : ref _toClient;

        public void Abort()
        {
            client.Dispose();
            server.Dispose();
        }
    }
}
