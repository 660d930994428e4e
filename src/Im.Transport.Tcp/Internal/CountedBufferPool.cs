using System.Buffers;

namespace Im.Transport.Tcp.Internal;

/// <summary>The shared array pool with a count of what is out, so that tests can see that an idle connection holds nothing.</summary>
internal sealed class CountedBufferPool
{
    private int _rented;

    /// <summary>How many buffers are rented at this moment.</summary>
    public int Rented => Volatile.Read(ref _rented);

    public byte[] Rent(int bytes)
    {
        Interlocked.Increment(ref _rented);
        return ArrayPool<byte>.Shared.Rent(bytes);
    }

    public void Return(byte[] buffer)
    {
        Interlocked.Decrement(ref _rented);
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
