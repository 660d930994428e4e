using Im.Connections;

namespace Im.Transport.Tcp.Internal;

internal sealed partial class TcpConnection
{
    private WriterState _writer = new();
    private TaskCompletionSource? _writerEnded; // made by the receive loop when it has to wait

    public override void RequestWrite()
    {
        if (_writer.Request())
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = WriteUntilParkedAsync();

    /// <summary>From here on the writer may run: the handler is known and the handshake is done.</summary>
    private void StartWriting()
    {
        if (!_writer.TryPark())
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>The write loop with its error handling.</summary>
    private async Task WriteUntilParkedAsync()
    {
        try
        {
            if (!await WriteAsync())
            {
                return; // parked: another writer may already be at work
            }
        }
        catch (Exception error)
        {
            Abort(CloseReason.From(error));
        }

        _writer.End();
        Volatile.Read(ref _writerEnded)?.TrySetResult();
    }

    /// <summary>The pure loop. False: nothing is queued and the writer is parked. True: everything is written, for good.</summary>
    private async ValueTask<bool> WriteAsync()
    {
        var batch = _context.Batches.Rent();
        try
        {
            while (!_aborted)
            {
                // Read before the pass: what was queued before Close is then seen by it.
                var closing = _closing;
                _writer.BeginPass();
                await WriteQueuedAsync(batch);
                if (closing && !_writer.IsRequested)
                {
                    await _channel.ShutdownSendAsync();
                    _closeTimer?.Change(_context.LingerTimeout, Timeout.InfiniteTimeSpan);
                    return true;
                }

                if (_writer.TryPark())
                {
                    return false;
                }
            }

            return true;
        }
        finally
        {
            _context.Batches.Return(batch);
        }
    }

    private async ValueTask WriteQueuedAsync(PacketBatch batch)
    {
        for (var more = true; more && !_aborted;)
        {
            more = _handler.WriteTo(batch);
            if (!batch.IsEmpty)
            {
                await batch.SendAsync(_channel);
            }
            else if (more)
            {
                throw new InvalidOperationException("The handler has more to write and wrote nothing.");
            }
        }
    }

    /// <summary>Completes when no writer runs and none will; closing or aborting must have begun.</summary>
    private Task WriterEndedAsync()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _writerEnded, ended);
        return _writer.TryEnd() ? Task.CompletedTask : ended.Task;
    }
}
