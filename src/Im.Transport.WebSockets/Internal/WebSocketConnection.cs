using System.Net.WebSockets;
using System.Security.Claims;
using Im.Connections;
using Im.Protocol;
using Microsoft.Extensions.Logging;

namespace Im.Transport.WebSockets.Internal;

/// <summary>One connection: a receive loop for its whole life, and a writer that exists only while something is queued.</summary>
/// <remarks>
/// <code>
///  endpoint ─ RunAsync ─┬─ Accept                        writer (thread pool, one at a time)
///                       ├─ receive loop ─▶ Receive       RequestWrite ─▶ WriteTo ─▶ frames ─▶ … nothing queued: ends
///                       │    (close asked for: receives  Close ────────▶ WriteTo … then the close frame: ends for ever
///                       │     on, but only to find the
///                       │     client's close frame)
///                       ├─ writer has ended
///                       └─ Disconnected
/// </code>
/// The receive loop owns the message buffer, the writer its FrameWriter. The state below _gate is everybody's.
/// </remarks>
internal sealed partial class WebSocketConnection : TransportConnection, IThreadPoolWorkItem
{
    private readonly WebSocketTransport _transport;
    private readonly ConnectionRequest _request;
    private readonly WebSocket _socket;
    private readonly FrameStream _stream;
    private readonly ILogger _logger;
    private readonly MessageBuffer _message;
    private readonly CancellationTokenSource _abort; // its timer is the time limit of a close
    private readonly TaskCompletionSource _writerEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Protects the fields down to the empty line; held for a few instructions, never while calling out.
    private readonly Lock _gate = new();
    private bool _started;          // the handler is there
    private bool _writeRequested;   // nobody has asked the handler since
    private bool _writing;          // a writer exists
    private bool _writesNoMore;     // the close frame was taken, or the connection is gone
    private bool _resumed;          // ResumeReading was called since the last Receive began
    private TaskCompletionSource? _paused;
    private int _closeCode;
    private string _closeReason = "";

    // Written under _gate, read anywhere.
    private volatile bool _closing;
    private volatile bool _peerClosed;
    private volatile bool _lost;

    private IConnectionHandler _handler = null!; // set before _started
    private bool _refused;                       // the receive loop's: ReceiveFailed was called

    public WebSocketConnection(
        WebSocketTransport transport, ConnectionRequest request, WebSocket socket, FrameStream stream)
    {
        _transport = transport;
        _request = request;
        _socket = socket;
        _stream = stream;
        _logger = transport.Logger;
        _message = new MessageBuffer(transport.Buffers);
        _abort = new CancellationTokenSource(Timeout.InfiniteTimeSpan, transport.Time);
    }

    public override string Transport => WebSocketTransport.TransportName;

    public override ImCodec Codec => _request.Subprotocol.Codec;

    public override string RemoteAddress => _request.RemoteAddress;

    public override ClaimsPrincipal? User => _request.User;

    /// <summary>Runs the connection from its acceptance to its end. Never throws.</summary>
    public async Task RunAsync(IConnectionAcceptor acceptor)
    {
        Log.Connected(_logger, RemoteAddress, _request.Subprotocol.Name);
        Exception? error;
        await using (_abort.Token.UnsafeRegister(static state => ((WebSocketConnection)state!).AbortNow(), this).ConfigureAwait(false))
        await using (_request.Aborted.UnsafeRegister(static state => ((WebSocketConnection)state!).Lose(), this).ConfigureAwait(false))
        await using (_request.Closing.UnsafeRegister(
            static state => ((WebSocketConnection)state!).Close(ImCloseCode.Shutdown, "The server is shutting down."), this).ConfigureAwait(false))
        {
            _handler = acceptor.Accept(this);
            Start();
            error = await ReceiveUntilEndAsync().ConfigureAwait(false);
            _message.Release();
            if (error is not null)
            {
                Lose();
            }

            await _writerEnded.Task.ConfigureAwait(false);
            Lose();
            _abort.CancelAfter(Timeout.InfiniteTimeSpan);
        }

        if (error is null)
        {
            Log.Disconnected(_logger, RemoteAddress, _closeCode, _closeReason);
        }
        else
        {
            Log.ConnectionFailed(_logger, error, RemoteAddress);
        }

        _handler.Disconnected(error);
    }

    /// <inheritdoc/>
    public override void RequestWrite()
    {
        lock (_gate)
        {
            _writeRequested = true;
            if (!TryStartWriter())
            {
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <inheritdoc/>
    public override void ResumeReading()
    {
        lock (_gate)
        {
            _resumed = true;
            _paused?.TrySetResult();
        }
    }

    /// <inheritdoc/>
    public override void Close(ImCloseCode code, string reason) => Close((int)code, reason, byPeer: false);

    /// <summary>Ends the connection now, without a close frame.</summary>
    public void Abort() => _ = _abort.CancelAsync();

    /// <inheritdoc/>
    void IThreadPoolWorkItem.Execute() => _ = WriteUntilIdleAsync();

    private void Start()
    {
        lock (_gate)
        {
            _started = true;
            if (!TryStartWriter())
            {
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Close(int code, string reason, bool byPeer)
    {
        lock (_gate)
        {
            // Nobody listens to a client that has said goodbye: the rest of the queue is left out.
            _peerClosed |= byPeer;
            if (_closing || _lost)
            {
                return;
            }

            _closing = true;
            _closeCode = code;
            _closeReason = reason;
            _writeRequested = true;
            _paused?.TrySetResult();
            _abort.CancelAfter(_transport.Options.CloseTimeout);
            if (!TryStartWriter())
            {
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void AbortNow()
    {
        if (_closing)
        {
            Log.CloseTimedOut(_logger, RemoteAddress);
        }

        _request.Abort();
    }

    /// <summary>The connection is gone or is being dropped: nobody waits for it any more.</summary>
    private void Lose()
    {
        lock (_gate)
        {
            _lost = true;
            _writesNoMore = true;
            _paused?.TrySetResult();
            if (!_writing)
            {
                _writerEnded.TrySetResult();
            }
        }
    }

    private static bool IsExpected(Exception exception) =>
        exception is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException;
}
