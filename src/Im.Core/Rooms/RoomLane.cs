using System.Diagnostics.CodeAnalysis;
using Im.Protocol;

namespace Im.Rooms;

/// <summary>The messages of this node to one room and priority, in the order in which they came.</summary>
/// <remarks>
/// While one publish is in flight the next gathers: no timer, and no waiting when idle. The lock guards the queue and the flags. The queue is bounded
/// by <c>_room</c>, for which senders wait.
/// </remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore whose handle nobody asks for holds nothing.")]
internal sealed class RoomLane(string roomId, RoomPriority priority, RoomPublisher publisher, ImRoomOptions options) : IThreadPoolWorkItem
{
    private readonly Lock _lock = new();
    private readonly Queue<PendingRoomMessage> _waiting = new();
    private readonly SemaphoreSlim _room = new(options.MaxPendingMessages);
    private bool _isRunning;
    private bool _isRetired;
    private bool _wasUsed;

    /// <summary>Takes a message when there is room. False: the lane is retired, there is another one.</summary>
    public async ValueTask<bool> TryAddAsync(PendingRoomMessage message, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken);
        lock (_lock)
        {
            if (_isRetired)
            {
                // Those who wait behind this one find the same.
                _room.Release();
                return false;
            }

            _waiting.Enqueue(message);
            _wasUsed = true;
            if (_isRunning)
            {
                return true;
            }

            _isRunning = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return true;
    }

    /// <summary>Retires a lane that was not used since the last call.</summary>
    public bool TryRetire()
    {
        lock (_lock)
        {
            _isRetired = !_isRunning && !_wasUsed;
            _wasUsed = false;
            return _isRetired;
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        var batch = new List<PendingRoomMessage>();
        while (TryTakeBatch(batch))
        {
            await publisher.PublishAsync(roomId, priority, batch);
            _room.Release(batch.Count);
            batch.Clear();
        }
    }

    private bool TryTakeBatch(List<PendingRoomMessage> batch)
    {
        lock (_lock)
        {
            long bytes = 0;
            while (batch.Count < options.MaxBatchMessages
                && _waiting.TryPeek(out var next)
                && (batch.Count == 0 || bytes + next.Bytes.Length <= options.MaxBatchBytes))
            {
                bytes += next.Bytes.Length;
                batch.Add(_waiting.Dequeue());
            }

            return _isRunning = batch.Count > 0;
        }
    }
}
