using Im.Connections;
using Im.Protocol;

namespace Im.Transport.Tcp.Internal;

internal sealed partial class TcpConnection
{
    // What a closing client may still send before it is left to wait: enough for a client in full flow, too little to be of use.
    private const long MaxDiscardedBytes = 4 * 1024 * 1024;
    private const int DiscardBufferBytes = 16 * 1024;

    private ReadGate _gate;

    private enum Step
    {
        /// <summary>More bytes are needed.</summary>
        Read,

        /// <summary>The handler said so; <see cref="_gate"/> opens when reading may go on.</summary>
        Pause,

        /// <summary>Closing, or the bytes are no packets.</summary>
        Stop,
    }

    public override void ResumeReading() => _gate.Open();

    /// <summary>The receive loop with its error handling. After it, the reason is set and closing has begun.</summary>
    private async Task ReceiveUntilEndAsync()
    {
        var writing = false;
        try
        {
            await _channel.HandshakeAsync(_context.Options.TlsHandshakeTimeout, _context.Time);
            StartWriting();
            writing = true;
            await ReceiveAsync();
            BeginClose(CloseReason.ClientLeft);
        }
        catch (Exception error)
        {
            Abort(CloseReason.From(error));
        }
        finally
        {
            if (!writing)
            {
                _writer.End();
            }
        }
    }

    /// <summary>The pure loop: returns at the client's end, throws what the socket or the handler throws.</summary>
    private async ValueTask ReceiveAsync()
    {
        var buffer = new ReceiveBuffer(_context.Buffers);
        try
        {
            for (var step = Step.Read; step != Step.Stop;)
            {
                if (step == Step.Pause)
                {
                    await PauseAsync();
                }
                else
                {
                    // Nothing unread: nothing is rented either, see Trim.
                    if (buffer.IsEmpty)
                    {
                        // The wait may end for data that was read before: a buffer rented then would be held while idle.
                        do
                        {
                            await _channel.WaitForDataAsync();
                        }
                        while (!_channel.IsReadable);
                    }

                    var received = await _channel.ReceiveAsync(buffer.GetSpace());
                    if (received == 0)
                    {
                        return;
                    }

                    buffer.Received(received);
                }

                step = HandOver(ref buffer);
            }
        }
        finally
        {
            buffer.Release();
        }

        await DiscardAsync();
    }

    /// <summary>Hands over every whole packet in the buffer, in place.</summary>
    private Step HandOver(ref ReceiveBuffer buffer)
    {
        var unread = buffer.Unread;
        while (!_closing)
        {
            switch (PacketFraming.TryRead(ref unread, _handler.MaxPacketBytes, out var packet, out _))
            {
                case FrameStatus.TooLarge:
                    _handler.ReceiveFailed(ImCloseCode.FrameTooLarge, $"a packet's length is over {_handler.MaxPacketBytes} bytes");
                    return Step.Stop;
                case FrameStatus.Incomplete:
                    buffer.TakenUntil(unread.Length);
                    buffer.Trim();
                    return Step.Read;
            }

            _gate.Close();
            var goOn = _handler.Receive(packet);
            buffer.TakenUntil(unread.Length);
            if (!goOn)
            {
                buffer.Trim();
                return Step.Pause;
            }
        }

        return Step.Stop;
    }

    private async ValueTask PauseAsync()
    {
        var opened = _gate.WaitAsync();
        if (!_closing)
        {
            await opened;
        }
    }

    /// <summary>Reads and forgets until the client's end; the close timer bounds the time.</summary>
    private async ValueTask DiscardAsync()
    {
        for (long discarded = 0; discarded < MaxDiscardedBytes;)
        {
            await _channel.WaitForDataAsync();
            var buffer = _context.Buffers.Rent(DiscardBufferBytes);
            try
            {
                var received = await _channel.ReceiveAsync(buffer);
                if (received == 0)
                {
                    return;
                }

                discarded += received;
            }
            finally
            {
                _context.Buffers.Return(buffer);
            }
        }

        // It goes on sending: from here the kernel's buffers hold it back until the timer cuts the socket.
        while (!_aborted)
        {
            _gate.Close();
            var opened = _gate.WaitAsync();
            if (!_aborted)
            {
                await opened;
            }
        }
    }
}
