using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Im.Connections;
using Im.Protocol;
using Microsoft.Extensions.Logging;

namespace Im.Transport.Tcp.Internal;

/// <summary>One client's socket.</summary>
/// <remarks>
/// The receive loop is the connection's life: it accepts, reads until the end, waits for the writer's end, and tells the
/// handler last.
/// A writer exists only while something is queued (<see cref="WriterState"/>). Closing goes through the same two:
/// <code>
///   Close ──▶ writer: writes what is queued, shuts sending down ─┐
///        └──▶ reader: discards until the client's end ───────────┴──▶ socket closed ──▶ Disconnected
///        └──▶ timer: cuts the socket when that takes too long
/// </code>
/// Discarding matters: closing a socket that has unread bytes resets it, and the client may never see the last packet.
/// </remarks>
internal sealed partial class TcpConnection : TransportConnection, IThreadPoolWorkItem
{
    private readonly TcpConnectionContext _context;
    private readonly SocketChannel _channel;
    private IConnectionHandler _handler = null!; // set by RunAsync before the writer can start
    private CloseReason? _reason; // set once
    private ITimer? _closeTimer; // made by whoever set the reason
    private volatile bool _closing;
    private volatile bool _aborted;

    public TcpConnection(Socket socket, SslServerAuthenticationOptions? tls, TcpConnectionContext context)
    {
        _context = context;
        _channel = new SocketChannel(socket, tls);
        RemoteAddress = AddressOf(socket);
    }

    public override string Transport => TcpTransport.TransportName;

    public override ImCodec Codec => ImCodec.Protobuf;

    public override string RemoteAddress { get; }

    /// <summary>The connection's life, from the acceptance to <see cref="IConnectionHandler.Disconnected"/>. Does not throw.</summary>
    public async Task RunAsync(IConnectionAcceptor acceptor)
    {
        // The accept loop goes on at once, whatever the core does.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        Log.ConnectionAccepted(_context.Logger, RemoteAddress);
        try
        {
            // Before a TLS handshake, so that the core's limits hold for clients that never finish one.
            _handler = acceptor.Accept(this);
        }
        catch (Exception error)
        {
            Log.HandlerFailed(_context.Logger, RemoteAddress, error);
            _channel.Dispose();
            return;
        }

        await ReceiveUntilEndAsync();
        await WriterEndedAsync();
        _closeTimer?.Dispose();
        _channel.Dispose();
        ReportEnd();
    }

    public override void Close(ImCloseCode code, string reason) => BeginClose(new CloseReason(code, reason));

    /// <summary>Cuts the connection; both loops end soon.</summary>
    public void Abort(CloseReason reason)
    {
        Interlocked.CompareExchange(ref _reason, reason, null);
        _closing = true;
        _aborted = true;
        _channel.Abort();
        _gate.Open();
    }

    private void BeginClose(CloseReason reason)
    {
        if (Interlocked.CompareExchange(ref _reason, reason, null) is not null)
        {
            return;
        }

        var timeout = _context.Options.CloseTimeout;
        _closeTimer = _context.Time.CreateTimer(
            static connection => ((TcpConnection)connection!).OnCloseTimeout(), this, timeout, Timeout.InfiniteTimeSpan);
        _closing = true;
        _gate.Open();
        RequestWrite();
    }

    private void OnCloseTimeout()
    {
        Log.CloseTimedOut(_context.Logger, RemoteAddress);
        Abort(_reason!);
    }

    private void ReportEnd()
    {
        var reason = _reason!;
        if (reason.Error is null)
        {
            Log.ConnectionEnded(_context.Logger, RemoteAddress, reason.Code, reason.Text);
        }
        else if (CloseReason.IsExpected(reason.Error))
        {
            Log.ConnectionLost(_context.Logger, RemoteAddress, reason.Error);
        }
        else
        {
            Log.ConnectionFailed(_context.Logger, RemoteAddress, reason.Error);
        }

        try
        {
            _handler.Disconnected(reason.Error);
        }
        catch (Exception error)
        {
            Log.HandlerFailed(_context.Logger, RemoteAddress, error);
        }
    }

    private static string AddressOf(Socket socket)
    {
        try
        {
            var address = (socket.RemoteEndPoint as IPEndPoint)?.Address;
            return (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString() ?? "";
        }
        catch (SocketException)
        {
            return ""; // gone already; the receive loop will notice
        }
    }
}
