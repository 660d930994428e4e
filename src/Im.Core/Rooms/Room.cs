using System.Buffers;
using Im.Protocol;

namespace Im.Rooms;

/// <summary>A room that has subscribers on this node.</summary>
/// <remarks>
/// The lock guards the fields; it is held for the copying of references only, never while a subscriber or the store is called. The store calls
/// <see cref="Receive"/> in order for each priority; so batches reach the subscribers in order.
/// <code>
/// Listening: first subscriber → store.ListenAsync, then the heads are read once; last one gone for LingerTime → store.StopListeningAsync → retired
/// </code>
/// </remarks>
internal sealed class Room(string id, IRoomStore store, RoomMetrics metrics, TimeProvider time)
{
    private readonly Lock _lock = new();
    private RoomSubscription[] _subscriptions = [];
    private int _count;
    private RoomHeads _heads = new("", 0, 0, 0);
    private string _previousEpoch = "";

    // Listening = the heads are known too; subscribed = the store was asked to listen, whatever came of it.
    private bool _isListening;
    private bool _isSubscribed;
    private bool _isRetired;
    private Task? _listening;
    private Task _stopping = Task.CompletedTask;
    private long _emptySince = time.GetTimestamp();

    public string Id { get; } = id;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Where the room stands. What is published later reaches whoever has been added before this call.</summary>
    public RoomHeads Heads
    {
        get
        {
            lock (_lock)
            {
                return _heads;
            }
        }
    }

    /// <summary>Adds a subscription; false: this object is retired, there is another one.</summary>
    public bool TryAdd(RoomSubscription subscription)
    {
        lock (_lock)
        {
            if (_isRetired)
            {
                return false;
            }

            if (_count == _subscriptions.Length)
            {
                Array.Resize(ref _subscriptions, Math.Max(4, _count * 2));
            }

            subscription.Index = _count;
            _subscriptions[_count++] = subscription;
        }

        metrics.Subscribed(1);
        return true;
    }

    /// <summary>Removes a subscription; removing it twice is no error.</summary>
    public void Remove(RoomSubscription subscription)
    {
        lock (_lock)
        {
            var index = subscription.Index;
            if (index < 0)
            {
                return;
            }

            var last = _subscriptions[--_count];
            _subscriptions[index] = last;
            last.Index = index;
            _subscriptions[_count] = null!;
            subscription.Index = -1;
            if (_count == 0)
            {
                _subscriptions = [];
                _emptySince = time.GetTimestamp();
            }
        }

        metrics.Subscribed(-1);
    }

    /// <summary>The subscriptions now, in an array rented from the shared pool; return it when done.</summary>
    public RoomSubscription[] Rent(out int count)
    {
        lock (_lock)
        {
            return RentLocked(out count);
        }
    }

    /// <summary>Ends when the node listens to the room and knows where it stands. Those who ask at once share one attempt.</summary>
    public Task ListenAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _isListening ? Task.CompletedTask : _listening ??= ListenCoreAsync(cancellationToken);
        }
    }

    /// <summary>Ceases to listen if nobody has subscribed for so long. True: the room is retired, and is to be taken out.</summary>
    public async ValueTask<bool> TryRetireAsync(TimeSpan linger, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_count > 0 || _listening is not null || time.GetElapsedTime(_emptySince) < linger)
            {
                return false;
            }

            if (_isSubscribed)
            {
                _isListening = _isSubscribed = false;
                _stopping = StopCoreAsync(cancellationToken);
            }
        }

        try
        {
            await _stopping;
        }
        catch
        {
            // Reported once, by the caller.
            lock (_lock)
            {
                _stopping = Task.CompletedTask;
            }

            throw;
        }

        lock (_lock)
        {
            return _isRetired = _count == 0 && _listening is null && !_isSubscribed;
        }
    }

    /// <summary>Hands a batch to the subscribers; called by the store.</summary>
    public void Receive(RoomBatch batch)
    {
        var last = batch.FirstSeq + batch.Messages.Count - 1;
        RoomSubscription[] subscriptions;
        RoomHeads heads;
        int count;
        lock (_lock)
        {
            if (batch.Epoch != _heads.Epoch && !TryBeginEpochLocked(batch.Epoch))
            {
                return;
            }

            var head = _heads.Get(batch.Priority);
            if (_isListening && head > 0 && batch.FirstSeq > head + 1)
            {
                metrics.Lost(batch.FirstSeq - head - 1);
            }

            heads = _heads = _heads.With(batch.Priority, Math.Max(head, last));
            subscriptions = RentLocked(out count);
        }

        if (count > 0)
        {
            var payload = new RoomPayload(this, heads.EpochNumber, batch.Epoch, batch.Priority, batch.FirstSeq, batch.Messages, 0, batch.Messages.Count);
            long dropped = 0;
            foreach (var subscription in subscriptions.AsSpan(0, count))
            {
                dropped += subscription.Offer(payload);
            }

            metrics.Offered((long)count * payload.Count, dropped);
        }

        ArrayPool<RoomSubscription>.Shared.Return(subscriptions, clearArray: true);
    }

    /// <summary>
    /// The store says that the room stands in this epoch. It counts unless a batch has begun an epoch since <paramref name="known"/>: what was read may
    /// be older than that. Returns where the room stands then.
    /// </summary>
    public RoomHeads Adopt(RoomHeads known, string epoch)
    {
        lock (_lock)
        {
            if (_heads.EpochNumber == known.EpochNumber && _heads.Epoch != epoch)
            {
                BeginEpochLocked(epoch);
            }

            return _heads;
        }
    }

    private async Task ListenCoreAsync(CancellationToken cancellationToken)
    {
        // The caller holds the lock.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await _stopping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_lock)
            {
                _isSubscribed = true;
            }

            await store.ListenAsync(Id, cancellationToken);
            var known = Heads;
            var high = (await store.ReadAsync(Id, RoomPriority.High, 0, 0, 0, cancellationToken)).Head;
            var normal = (await store.ReadAsync(Id, RoomPriority.Normal, 0, 0, 0, cancellationToken)).Head;
            lock (_lock)
            {
                if (_heads.EpochNumber == known.EpochNumber && _heads.Epoch != normal.Epoch)
                {
                    BeginEpochLocked(normal.Epoch);
                }

                foreach (var (priority, head) in ((RoomPriority, RoomPosition)[])[(RoomPriority.High, high), (RoomPriority.Normal, normal)])
                {
                    if (head.Epoch == _heads.Epoch)
                    {
                        _heads = _heads.With(priority, Math.Max(_heads.Get(priority), head.Seq));
                    }
                }

                _isListening = true;
            }
        }
        finally
        {
            lock (_lock)
            {
                _listening = null;
            }
        }
    }

    private async Task StopCoreAsync(CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await store.StopListeningAsync(Id, cancellationToken);
        }
        catch (Cluster.ImClusterException)
        {
            // The store is gone, and with it the listening; what may still come for a room without subscribers is ignored.
        }
    }

    private bool TryBeginEpochLocked(string epoch)
    {
        // A late batch of the epoch before.
        if (epoch == _previousEpoch)
        {
            return false;
        }

        BeginEpochLocked(epoch);
        return true;
    }

    private void BeginEpochLocked(string epoch)
    {
        _previousEpoch = _heads.Epoch;
        _heads = new RoomHeads(epoch, _heads.EpochNumber + 1, 0, 0);
    }

    private RoomSubscription[] RentLocked(out int count)
    {
        count = _count;
        var copy = ArrayPool<RoomSubscription>.Shared.Rent(count);
        _subscriptions.AsSpan(0, count).CopyTo(copy);
        return copy;
    }
}
