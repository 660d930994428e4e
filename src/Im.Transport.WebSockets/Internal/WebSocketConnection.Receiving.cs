using System.Net.WebSockets;
using Im.Protocol;

namespace Im.Transport.WebSockets.Internal;

// The receive loop: frames of the client's become packets.
internal sealed partial class WebSocketConnection
{
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
            Crash(exception);
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
        try
        {
            _handler.ReceiveFailed(code, reason);
        }
        catch (Exception exception)
        {
            Crash(exception);
        }
    }

    private void Crash(Exception exception)
    {
        Log.Crashed(_logger, exception, RemoteAddress);
        Close(ImCloseCode.InternalError, "An unexpected failure on the server.");
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
}
