using System.Collections.Concurrent;
using Im.Protocol;
using Im.Rooms;
using Im.Sync;
using Im.Timelines;

namespace Im.Connections;

/// <summary>What waits to be written to one connection: replies of its own and pushes of shared payloads, in order.</summary>
/// <remarks>
/// <see cref="Lock"/> guards the queue and, since both change together, the session's timelines too. It is held for a few steps, never across I/O
/// and never together with another session's. A full queue blocks nobody: pushes are refused (the timeline goes behind), replies are
/// always taken and stop the reading of the connection instead. Pushes of rooms have a queue of their own, see <see cref="RoomQueue"/>: replies come
/// first, then timelines and rooms take turns, byte for byte.
/// </remarks>
internal sealed class Outbox(TransportConnection transport, int maxBytes)
{
    private Queue<Item>? _items;
    private RoomQueue? _rooms;
    private int _bytes;
    private bool _wantsRoom;
    private bool _pageNeedsAll;
    private bool _isClosed;

    public Lock Lock { get; } = new();

    public ImCodec Codec { get; } = transport.Codec;

    /// <summary>Called outside the lock when a queue that had been full, or that somebody waited for, has room again.</summary>
    public Action? RoomAgain { get; set; }

    /// <summary>Replies are over the limit: stop reading. Read under the lock or as a hint.</summary>
    public bool IsOverLimit => _bytes > maxBytes;

    /// <summary>How much was ever taken out of the queue: whether it moves. A hint outside the lock.</summary>
    public long WrittenBytes { get; private set; }

    /// <summary>How much is queued. A hint outside the lock.</summary>
    public int QueuedBytes => _bytes;

    /// <summary>Takes a reply, whatever is queued. Ignored after the Close packet.</summary>
    public void Enqueue(ServerPacket packet)
    {
        var bytes = PacketCodec.Write(packet, Codec);
        lock (Lock)
        {
            EnqueueLocked(bytes);
        }

        transport.RequestWrite();
    }

    /// <summary>Takes a signal if there is room, and says whether there was.</summary>
    public bool TryEnqueue(byte[] signal)
    {
        lock (Lock)
        {
            if (_bytes + signal.Length > maxBytes)
            {
                return false;
            }

            EnqueueLocked(signal);
        }

        transport.RequestWrite();
        return true;
    }

    /// <summary>Takes replies in one go. Call under the lock, and <see cref="RequestWrite"/> after it.</summary>
    public void EnqueueLocked(byte[] packet)
    {
        if (!_isClosed)
        {
            (_items ??= ItemQueues.Rent()).Enqueue(new Item(packet, null, default, 0));
            _bytes += packet.Length;
        }
    }

    /// <summary>
    /// Takes a push if there is room; an empty queue has room for any. Call under the lock, and <see cref="RequestWrite"/> after it.
    /// </summary>
    public bool TryEnqueueLocked(TimelineKey timeline, long firstSeq, PushPayload payload)
    {
        var size = PushWriter.Measure(payload, Codec);
        if (_isClosed || (_bytes > 0 && _bytes + size > maxBytes))
        {
            return false;
        }

        (_items ??= ItemQueues.Rent()).Enqueue(new Item(null, payload, timeline, firstSeq));
        _bytes += size;
        _pageNeedsAll = false;
        return true;
    }

    /// <summary>From now on the connection has rooms. Call under the lock.</summary>
    public void UseRoomsLocked(ImRoomOptions options) => _rooms ??= new RoomQueue(options.MaxQueueBytes, options.MaxQueueMessages, Codec);

    /// <summary>
    /// Takes a room's push and returns how many messages were dropped for it. Call under the lock, and <see cref="RequestWrite"/> after it where
    /// <paramref name="isFirst"/> says so: otherwise it was called for those that wait already.
    /// </summary>
    public int AddRoomPushLocked(RoomPayload payload, out bool isFirst)
    {
        isFirst = false;
        if (_isClosed || _rooms is null)
        {
            return 0;
        }

        isFirst = _rooms.IsEmpty;
        return _rooms.Add(payload);
    }

    /// <summary>What waits of a room is not written. Call under the lock.</summary>
    public void ForgetRoomLocked(Room room) => _rooms?.Forget(room);

    /// <summary>Room pushes wait for all replies that are queued now. Call under the lock.</summary>
    public void HoldRoomsLocked() => _rooms?.HoldFor(_items?.Count ?? 0);

    /// <summary>
    /// Whether the queue is short enough for a page of backlog. If not, <see cref="RoomAgain"/> is called when it is. Call under the lock.
    /// </summary>
    public bool HasRoomForPageLocked()
    {
        if (_bytes <= RoomFromBytes)
        {
            return true;
        }

        _wantsRoom = true;
        return false;
    }

    /// <summary>
    /// A page was read and had no room: the next one waits for an empty queue, so that it is not read in vain again and again. Call under the lock.
    /// </summary>
    public void PageWasTooLargeLocked() => _pageNeedsAll = true;

    /// <summary>Asks for <see cref="RoomAgain"/>; false if there is room already.</summary>
    public bool WaitForRoom()
    {
        lock (Lock)
        {
            return !HasRoomForPageLocked();
        }
    }

    public void RequestWrite() => transport.RequestWrite();

    /// <summary>Forgets the pushes that are queued, takes the Close packet as the last one and refuses everything after it.</summary>
    public void Close(ServerPacket closePacket)
    {
        var bytes = PacketCodec.Write(closePacket, Codec);
        lock (Lock)
        {
            if (_isClosed)
            {
                return;
            }

            var replies = _items?.Where(item => item.Packet is not null).ToArray() ?? [];
            _items = replies.Length == 0 ? null : new Queue<Item>(replies);
            _rooms = null;
            _bytes = replies.Sum(item => item.Packet!.Length);
            EnqueueLocked(bytes);
            _isClosed = true;
        }
    }

    /// <summary>Drops everything: the connection is gone.</summary>
    public void Discard()
    {
        lock (Lock)
        {
            _isClosed = true;
            _items = null;
            _rooms = null;
            _bytes = 0;
        }
    }

    /// <summary>Writes until the writer is full or nothing is queued; called by the transport, one call at a time.</summary>
    public bool WriteTo(IPacketWriter writer)
    {
        while (!writer.IsFull)
        {
            Item item;
            bool roomAgain;
            lock (Lock)
            {
                if (!TryTakeLocked(out item))
                {
                    return false;
                }

                roomAgain = _wantsRoom && _bytes <= RoomFromBytes;
                _wantsRoom &= !roomAgain;
            }

            if (item.Packet is not null)
            {
                writer.BeginPacket(item.Packet.Length);
                writer.WriteShared(item.Packet);
                writer.EndPacket();
            }
            else
            {
                PushWriter.Write(writer, Codec, item.Timeline, item.FirstSeq, item.Payload!);
            }

            if (roomAgain)
            {
                RoomAgain?.Invoke();
            }
        }

        return true;
    }

    private bool TryTakeLocked(out Item item)
    {
        if (_rooms is { IsEmpty: false } && (_items is null || (_rooms.IsTurn && _items.Peek().Packet is null)))
        {
            item = new Item(_rooms.Take(othersWait: _items is not null), null, default, 0);
            WrittenBytes += item.Packet!.Length;
            return true;
        }

        if (_items is null)
        {
            item = default;
            return false;
        }

        item = _items.Dequeue();
        if (_items.Count == 0)
        {
            // An idle connection keeps no queue.
            ItemQueues.Return(_items);
            _items = null;
        }

        var size = item.Packet?.Length ?? PushWriter.Measure(item.Payload!, Codec);
        _bytes -= size;
        WrittenBytes += size;
        _rooms?.OtherTaken(size, item.Packet is null);
        return true;
    }

    private int RoomFromBytes => _pageNeedsAll ? 0 : maxBytes / 4;

    /// <summary>Queues of connections that have just been drained, for the next ones: a push costs no allocation.</summary>
    private static class ItemQueues
    {
        private const int MaxPooled = 4096;
        private const int MaxPooledCapacity = 64;

        private static readonly ConcurrentQueue<Queue<Item>> Pool = new();
        private static int _pooled;

        public static Queue<Item> Rent()
        {
            if (!Pool.TryDequeue(out var queue))
            {
                return new Queue<Item>();
            }

            Interlocked.Decrement(ref _pooled);
            return queue;
        }

        public static void Return(Queue<Item> empty)
        {
            if (empty.Capacity > MaxPooledCapacity)
            {
                return;
            }

            if (Interlocked.Increment(ref _pooled) > MaxPooled)
            {
                Interlocked.Decrement(ref _pooled);
                return;
            }

            Pool.Enqueue(empty);
        }
    }

    private readonly record struct Item(byte[]? Packet, PushPayload? Payload, TimelineKey Timeline, long FirstSeq);
}
