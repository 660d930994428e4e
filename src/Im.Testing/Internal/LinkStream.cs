using System.Buffers;
using System.IO.Pipelines;

namespace Im.Testing.Internal;

/// <summary>The client's end of a <see cref="MemoryLink"/>. One reader and one writer at a time.</summary>
internal sealed class LinkStream(MemoryLink link) : Stream
{
    private readonly PipeReader _reader = link.ToClient.Reader;
    private readonly PipeWriter _writer = link.ToServer.Writer;
    private int _isDisposed;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, link.WhenCut);
        try
        {
            while (true)
            {
                var result = await _reader.ReadAsync(either.Token).ConfigureAwait(false);
                ThrowIfCut();
                if (link.Held is { } held)
                {
                    // Seen and left where it is.
                    _reader.AdvanceTo(result.Buffer.Start);
                    await held.WaitAsync(cancellationToken).ConfigureAwait(false);
                    continue;
                }

                var count = (int)Math.Min(buffer.Length, result.Buffer.Length);
                if (count > 0 || result.IsCompleted || buffer.Length == 0)
                {
                    var taken = result.Buffer.Slice(0, count);
                    taken.CopyTo(buffer.Span);
                    _reader.AdvanceTo(taken.End);
                    return count;
                }

                _reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
        catch (OperationCanceledException) when (link.IsCut && !cancellationToken.IsCancellationRequested)
        {
            throw WasCut();
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, link.WhenCut);
        try
        {
            // In pieces, so that a reader that does not read holds a large write back.
            for (var rest = buffer; !rest.IsEmpty;)
            {
                var piece = rest[..Math.Min(rest.Length, 16 * 1024)];
                rest = rest[piece.Length..];
                var result = await _writer.WriteAsync(piece, either.Token).ConfigureAwait(false);
                ThrowIfCut();
                if (result.IsCompleted)
                {
                    throw new IOException("The server has closed the connection.");
                }
            }
        }
        catch (OperationCanceledException) when (link.IsCut && !cancellationToken.IsCancellationRequested)
        {
            throw WasCut();
        }
    }

    /// <summary>Says that nothing more is sent; reading goes on.</summary>
    public void CloseSending() => _writer.Complete();

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read asynchronously.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Write asynchronously.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _writer.Complete();
            _reader.Complete();
            link.Release();
        }

        base.Dispose(disposing);
    }

    private void ThrowIfCut()
    {
        if (link.IsCut)
        {
            throw WasCut();
        }
    }

    private static IOException WasCut() => new("The network was cut.");
}
