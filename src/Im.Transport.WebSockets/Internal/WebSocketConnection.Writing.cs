using Im.Protocol;

namespace Im.Transport.WebSockets.Internal;

// The writer: packets become frames, as long as something is queued.
internal sealed partial class WebSocketConnection
{
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
}
