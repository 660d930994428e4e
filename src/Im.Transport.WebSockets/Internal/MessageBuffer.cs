using System.Buffers;

namespace Im.Transport.WebSockets.Internal;

/// <summary>
/// The message that is being received: a pooled buffer that grows as bytes arrive, never ahead of them, so that a client that announces a
/// large frame costs nothing. Used by the receive loop alone.
/// </summary>
internal sealed class MessageBuffer(BufferPool pool)
{
    private const int FirstBytes = 4096;
    private byte[]? _buffer;

    public int Count { get; private set; }

    public ReadOnlySequence<byte> Message => _buffer is null ? ReadOnlySequence<byte>.Empty : new(_buffer, 0, Count);

    /// <summary>Room for more, at least a byte, and never beyond one byte over the limit: that byte tells that the limit is passed.</summary>
    public Memory<byte> GetSpace(int limit)
    {
        var wanted = Math.Min(Math.Max(limit, Count), Array.MaxLength - 1) + 1;
        if (_buffer is null)
        {
            _buffer = pool.Rent(Math.Min(FirstBytes, wanted));
        }
        else if (Count == _buffer.Length)
        {
            var larger = pool.Rent((int)Math.Min(2L * Count, wanted));
            _buffer.CopyTo(larger, 0);
            pool.Return(_buffer);
            _buffer = larger;
        }

        return _buffer.AsMemory(Count, Math.Min(_buffer.Length, wanted) - Count);
    }

    public void Advance(int bytes) => Count += bytes;

    /// <summary>Forgets the message and keeps the buffer for the next.</summary>
    public void Clear() => Count = 0;

    /// <summary>Gives the buffer back: nothing is being received.</summary>
    public void Release()
    {
        Count = 0;
        if (_buffer is { } buffer)
        {
            _buffer = null;
            pool.Return(buffer);
        }
    }
}
