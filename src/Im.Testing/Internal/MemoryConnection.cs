using System.IO.Pipelines;
using Im.Connections;
using Im.Protocol;

namespace Im.Testing.Internal;

/// <summary>The server's end of a <see cref="MemoryLink"/>: a receive loop, and a writer that lives while something is queued.</summary>
internal sealed class MemoryConnection(MemoryLink link, string address, TimeSpan closeTimeout) : TransportConnection
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _closing = new();
    private readonly PipeReader _input = link.ToServer.Reader;
    private readonly PipeWriter _output = link.ToClient.Writer;
    private readonly MemoryPacketWriter _packets = new(link.ToClient.Writer);
    private readonly SemaphoreSlim _requested = new(0, 1);
    private readonly SemaphoreSlim _resumed = new(0, 1);
    private IConnectionHandler _handler = null!; // set by RunAsync before its loops begin
    private (ImCloseCode Code, string Reason)? _close;
    private int _isClosed; // the core has closed it
    private int _isClosing; // whoever did

    public override string Transport => MemoryTransport.TransportName;

    public override ImCodec Codec => ImCodec.Protobuf;

    public override string RemoteAddress => address;

    /// <summary>Completes when the handler has been told that the connection is gone.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Called once when the core closes the connection.</summary>
    public Action<ImCloseCode, string>? Closed { get; init; }

    public override void RequestWrite() => Signal(_requested);

    public override void ResumeReading() => Signal(_resumed);

    public override void Close(ImCloseCode code, string reason)
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0)
        {
            return;
        }

        // Also where the client has read the close packet and is gone by now.
        _close = (code, reason);
        Closed?.Invoke(code, reason);
        if (Interlocked.Exchange(ref _isClosing, 1) == 0)
        {
            _closing.Cancel();
            RequestWrite();
        }
    }

    /// <summary>The connection's life. Does not throw.</summary>
    public async Task RunAsync(IConnectionAcceptor acceptor)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        Exception? error = null;
        try
        {
            _handler = acceptor.Accept(this);
            var writing = WriteUntilEndAsync();
            error = await ReceiveUntilEndAsync();
            error = await writing ?? error;
        }
        finally
        {
            await _input.CompleteAsync();
            await _output.CompleteAsync();
            _handler?.Disconnected(error);
            _ended.TrySetResult();
        }
    }

    /// <summary>The receive loop with its error handling. After it, closing has begun.</summary>
    private async Task<Exception?> ReceiveUntilEndAsync()
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token, link.WhenCut);
            await ReceiveAsync(either.Token);
            return null;
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested && !link.IsCut)
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            return new IOException("The network was cut.");
        }
        catch (Exception error)
        {
            link.Cut();
            return error;
        }
        finally
        {
            if (Interlocked.Exchange(ref _isClosing, 1) == 0)
            {
                await _closing.CancelAsync();
            }

            RequestWrite();
        }
    }

    /// <summary>The pure loop: returns at the client's end.</summary>
    private async Task ReceiveAsync(CancellationToken stop)
    {
        while (true)
        {
            var result = await _input.ReadAsync(stop);
            var unread = result.Buffer;
            while (!stop.IsCancellationRequested)
            {
                var status = PacketFraming.TryRead(ref unread, _handler.MaxPacketBytes, out var packet, out _);
                if (status == FrameStatus.TooLarge)
                {
                    _handler.ReceiveFailed(ImCloseCode.FrameTooLarge, $"a packet's length is over {_handler.MaxPacketBytes} bytes");
                    await Task.Delay(Timeout.Infinite, stop);
                }

                if (status == FrameStatus.Incomplete)
                {
                    break;
                }

                // A resume that comes from here on is for this packet's pause.
                _resumed.Wait(0);
                if (!_handler.Receive(packet))
                {
                    await _resumed.WaitAsync(stop);
                }
            }

            stop.ThrowIfCancellationRequested();
            _input.AdvanceTo(unread.Start, unread.End);
            if (result.IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>The write loop with its error handling.</summary>
    private async Task<Exception?> WriteUntilEndAsync()
    {
        using var timeout = new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(link.WhenCut, timeout.Token);
        await using var onClosing = _closing.Token.UnsafeRegister(_ => timeout.CancelAfter(closeTimeout), null);
        try
        {
            await WriteAsync(either.Token);
            return null;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !link.IsCut)
        {
            // It did not read its last packets in time.
            link.Cut();
            return null;
        }
        catch (OperationCanceledException)
        {
            return _close is null ? new IOException("The network was cut.") : null;
        }
        catch (Exception error)
        {
            link.Cut();
            return _close is null ? error : null;
        }
    }

    /// <summary>The pure loop: returns when all is written after the close.</summary>
    private async Task WriteAsync(CancellationToken stop)
    {
        while (true)
        {
            await _requested.WaitAsync(stop);

            // Read before the pass: what was queued before the close is then seen by it.
            var closing = _closing.IsCancellationRequested;
            bool more;
            do
            {
                more = _handler.WriteTo(_packets);
                if (!_packets.TakeIsEmpty())
                {
                    if ((await _output.FlushAsync(stop)).IsCompleted)
                    {
                        throw new IOException("The client reads no more.");
                    }
                }
                else if (more)
                {
                    throw new InvalidOperationException("The handler has more to write and wrote nothing.");
                }
            }
            while (more);
            if (closing && _requested.CurrentCount == 0)
            {
                return;
            }
        }
    }

    private static void Signal(SemaphoreSlim semaphore)
    {
        if (semaphore.CurrentCount > 0)
        {
            return;
        }

        try
        {
            semaphore.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else has set it at this moment.
        }
    }
}
