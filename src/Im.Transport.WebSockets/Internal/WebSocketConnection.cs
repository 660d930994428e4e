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
internal sealed class WebSocketConnection : TransportConnection, IThreadPoolWorkItem
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

    private async Task<Exception?> ReceiveUntilEndAsync()
    {
        try
        {
            if (await ReceiveAsync().ConfigureAwait(false))
            {
                Close((int)(_socket.CloseStatus ?? WebSocketCloseStatus.NormalClosure), "", byPeer: true);
                return null;
            }

            return _closing ? null : new WebSocketException(WebSocketError.ConnectionClosedPrematurely);
        }
        catch (WebSocketException) when (_stream.RefusedWith != 0)
        {
            if (!_refused && !_closing)
            {
                Refuse(ImCloseCode.BadPacket, _stream.RefusedWith == (int)WebSocketCloseStatus.InvalidPayloadData
                    ? "A text message is not valid UTF-8."
                    : "A WebSocket frame is malformed.");
            }
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            return _closing ? null : exception;
        }
        catch (Exception exception)
        {
            Log.Crashed(_logger, exception, RemoteAddress);
            Close(ImCloseCode.InternalError, "An unexpected failure on the server.");
        }

        // Frames cannot be told apart any more. Closing at once would let the kernel throw away what the client has not read.
        await _writerEnded.Task.ConfigureAwait(false);
        await DiscardAsync().ConfigureAwait(false);
        return null;
    }

    /// <summary>Receives until the client's close frame (true) or until the connection is lost while nobody reads (false).</summary>
    private async Task<bool> ReceiveAsync()
    {
        while (!_lost)
        {
            // Asking for nothing waits for a message without a buffer.
            var waiting = _socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
            if (!waiting.IsCompleted)
            {
                _message.Release();
            }

            var part = await waiting.ConfigureAwait(false);
            while (part.MessageType != WebSocketMessageType.Close)
            {
                Take(part);
                if (part.EndOfMessage)
                {
                    break;
                }

                part = await _socket.ReceiveAsync(_message.GetSpace(_handler.MaxPacketBytes), CancellationToken.None).ConfigureAwait(false);
            }

            if (part.MessageType == WebSocketMessageType.Close)
            {
                return true;
            }

            if (!_refused && !_closing && !Deliver())
            {
                _message.Release();
                await WaitForResumeAsync().ConfigureAwait(false);
            }

            _message.Clear();
        }

        return false;
    }

    private void Take(ValueWebSocketReceiveResult part)
    {
        if (!_refused && !_closing)
        {
            _message.Advance(part.Count);
            if (part.MessageType != _request.Subprotocol.MessageType)
            {
                Refuse(ImCloseCode.BadPacket, $"{_request.Subprotocol.Name} takes {_request.Subprotocol.MessageType} messages only.");
            }
            else if (_message.Count > _handler.MaxPacketBytes)
            {
                Refuse(ImCloseCode.FrameTooLarge, $"A message may have {_handler.MaxPacketBytes} bytes here.");
            }
        }

        if (_refused || _closing)
        {
            _message.Clear();
        }
    }

    private void Refuse(ImCloseCode code, string reason)
    {
        _refused = true;
        Log.BadInput(_logger, RemoteAddress, code, reason);
        _handler.ReceiveFailed(code, reason);
    }

    private bool Deliver()
    {
        lock (_gate)
        {
            _resumed = false;
        }

        return _handler.Receive(_message.Message);
    }

    private Task WaitForResumeAsync()
    {
        lock (_gate)
        {
            if (_resumed || _closing || _lost)
            {
                return Task.CompletedTask;
            }

            _paused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _paused.Task;
        }
    }

    /// <summary>Reads what had arrived when the close frame went out, and the first sign of the client's answer.</summary>
    private async Task DiscardAsync()
    {
        var buffer = _transport.Buffers.Rent(4096);
        try
        {
            while (!_lost && await _stream.ReadAsync(buffer).ConfigureAwait(false) == buffer.Length)
            {
            }
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            Log.ConnectionFailed(_logger, exception, RemoteAddress);
        }
        finally
        {
            _transport.Buffers.Return(buffer);
        }
    }

    // Under _gate. True: the caller queues the work item after leaving the lock.
    private bool TryStartWriter()
    {
        if (!_started || _writing || _writesNoMore || !_writeRequested)
        {
            return false;
        }

        return _writing = true;
    }

    private async Task WriteUntilIdleAsync()
    {
        try
        {
            await WriteAsync().ConfigureAwait(false);
            return;
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            Log.WriteFailed(_logger, exception, RemoteAddress);
        }
        catch (Exception exception)
        {
            Log.Crashed(_logger, exception, RemoteAddress);
        }

        Abort();
        lock (_gate)
        {
            _writing = false;
            _writesNoMore = true;
            _writerEnded.TrySetResult();
        }
    }

    private async Task WriteAsync()
    {
        while (true)
        {
            bool packets;
            lock (_gate)
            {
                packets = _writeRequested && !_peerClosed && !_writesNoMore;
                _writeRequested = false;
                if (!packets && (!_closing || _writesNoMore))
                {
                    _writing = false;
                    if (_writesNoMore)
                    {
                        _writerEnded.TrySetResult();
                    }

                    return;
                }

                _writesNoMore |= !packets;
            }

            if (packets)
            {
                await WritePacketsAsync().ConfigureAwait(false);
            }
            else
            {
                await _stream.WriteCloseFrameAsync(Frames.Close(_closeCode, _closeReason)).ConfigureAwait(false);
            }
        }
    }

    private async Task WritePacketsAsync()
    {
        var writer = _transport.Writers.Get();
        try
        {
            writer.Opcode = _request.Subprotocol.Codec == ImCodec.Json ? Frames.TextOpcode : Frames.BinaryOpcode;
            bool more;
            do
            {
                more = _handler.WriteTo(writer);
                await _stream.WriteFramesAsync(writer.Finish()).ConfigureAwait(false);
                writer.Reset();
            }
            while (more && !_lost && !_peerClosed);
        }
        finally
        {
            writer.Reset();
            _transport.Writers.Return(writer);
        }
    }

    private static bool IsExpected(Exception exception) =>
        exception is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException;
}
