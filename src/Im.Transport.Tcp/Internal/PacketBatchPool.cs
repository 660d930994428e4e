using System.Collections.Concurrent;

namespace Im.Transport.Tcp.Internal;

/// <summary>Batches between writes, so that a connection has one only while it writes.</summary>
internal sealed class PacketBatchPool(CountedBufferPool buffers, int maxWriteBytes) : IDisposable
{
    private const int MaxKept = 256;

    private readonly ConcurrentQueue<PacketBatch> _kept = new();
    private int _count;

    public PacketBatch Rent()
    {
        if (_kept.TryDequeue(out var batch))
        {
            Interlocked.Decrement(ref _count);
            return batch;
        }

        return new PacketBatch(buffers, maxWriteBytes);
    }

    public void Return(PacketBatch batch)
    {
        batch.Clear();
        if (Interlocked.Increment(ref _count) <= MaxKept)
        {
            _kept.Enqueue(batch);
            return;
        }

        Interlocked.Decrement(ref _count);
        batch.Dispose();
    }

    public void Dispose()
    {
        while (_kept.TryDequeue(out var batch))
        {
            batch.Dispose();
        }
    }
}
