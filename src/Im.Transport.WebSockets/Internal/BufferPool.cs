using System.Buffers;

namespace Im.Transport.WebSockets.Internal;

/// <summary>The shared array pool, with a count of what this transport holds: a test asks it whether idle connections hold anything.</summary>
internal sealed class BufferPool
{
    private int _rented;

    /// <summary>Buffers rented and not yet returned.</summary>
    public int Rented => Volatile.Read(ref _rented);

    public byte[] Rent(int minBytes)
    {
        Interlocked.Increment(ref _rented);
        return ArrayPool<byte>.Shared.Rent(minBytes);
    }

    public void Return(byte[] buffer)
    {
        Interlocked.Decrement(ref _rented);
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
