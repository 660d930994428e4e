using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Im.Transport.Tcp.Internal;

/// <summary>One listening socket and its accept loop.</summary>
internal sealed class TcpEndpointListener(
    IListeningSocket socket, Action<Socket> accepted, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    public IPEndPoint Endpoint => socket.Endpoint;

    public void Start()
    {
        // Connections must not inherit whatever the host's start has in its execution context.
        using (ExecutionContext.SuppressFlow())
        {
            _loop = AcceptUntilStoppedAsync();
        }
    }

    /// <summary>Stops listening and waits for the loop.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        socket.Dispose();
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>The accept loop's error handling: nothing but a stop ends it.</summary>
    private async Task AcceptUntilStoppedAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await AcceptAsync();
            }
            catch (Exception) when (_stop.IsCancellationRequested)
            {
                break;
            }
            catch (SocketException error) when (IsClientsFault(error.SocketErrorCode))
            {
                Log.AcceptRetried(logger, Endpoint, error);
            }
            catch (Exception error)
            {
                Log.AcceptDelayed(logger, Endpoint, RetryDelay, error);
                await Task.Delay(RetryDelay, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        Log.StoppedListening(logger, Endpoint);
    }

    /// <summary>The pure loop.</summary>
    private async Task AcceptAsync()
    {
        while (true)
        {
            accepted(await socket.AcceptAsync(_stop.Token));
        }
    }

    private static bool IsClientsFault(SocketError error) =>
        error is SocketError.ConnectionAborted or SocketError.ConnectionReset or SocketError.Interrupted or SocketError.TimedOut
            or SocketError.HostUnreachable or SocketError.NetworkUnreachable;
}
