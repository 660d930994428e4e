namespace Im.Transport.WebSockets.Internal;

/// <summary>
/// Between the platform's WebSocket, which reads here, and the upgraded connection, to which our writer writes whole frames beside it.
/// </summary>
/// <remarks>
/// The platform's WebSocket checks and unmasks what clients send; what it writes by itself are answers to pings, which pass, and a close
/// frame when it meets a malformed frame, which is swallowed and remembered: the client shall get the core's last packet and close code
/// instead, the same as over TCP. The lock makes every write a whole number of frames. Disposing does nothing: the web server owns the
/// connection, and after such an error our writer still needs it.
/// </remarks>
internal sealed class FrameStream(Stream connection) : Stream
{
    private readonly SemaphoreSlim _writeLock = new(1, 1);
    private bool _closeFrameWritten; // under _writeLock
    private volatile int _refusedWith;

    /// <summary>The code with which the platform wanted to close after a malformed frame; 0 where it did not.</summary>
    public int RefusedWith => _refusedWith;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Writes whole frames of ours.</summary>
    public async ValueTask WriteFramesAsync(List<ReadOnlyMemory<byte>> frames)
    {
        await _writeLock.WaitAsync().ConfigureAwait(false);
        try
        {
            foreach (var segment in frames)
            {
                await connection.WriteAsync(segment).ConfigureAwait(false);
            }
        }
        finally
        {
            _writeLock.Release();
        }
    }

    /// <summary>Writes the close frame; nothing is written after it.</summary>
    public async ValueTask WriteCloseFrameAsync(ReadOnlyMemory<byte> frame)
    {
        await _writeLock.WaitAsync().ConfigureAwait(false);
        try
        {
            _closeFrameWritten = true;
            await connection.WriteAsync(frame).ConfigureAwait(false);
        }
        finally
        {
            _writeLock.Release();
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        connection.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>A frame of the platform's own; it always writes one whole frame in one call.</summary>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Frames.IsClose(buffer.Span, out var code))
        {
            _refusedWith = code;
            return;
        }

        await _writeLock.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_closeFrameWritten)
            {
                await connection.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _writeLock.Release();
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // The web server's stream hands each write on at once.
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
