using Im.Protocol;

namespace Im.Rooms;

/// <summary>Room pushes that wait for one connection: references to shared payloads, the high ones in front of the normal ones.</summary>
/// <remarks>
/// Part of the connection's outbox and guarded by its lock. Bounded in bytes and messages: what is one too many pushes the oldest normal ones out, and
/// where there are none, a high one the oldest high ones; the subscriber sees it in the seqs. Made at the first subscription.
/// </remarks>
internal sealed class RoomQueue(int maxBytes, int maxMessages, ImCodec codec)
{
    // An idle subscriber keeps no more room than this.
    private const int MaxIdleCapacity = 64;

    private Queue<RoomPayload>? _high;
    private Queue<RoomPayload>? _normal;
    private int _bytes;
    private int _messages;

    // So many items of the outbox's other queue stand before everything here: the answers to the subscriptions.
    private int _held;

    // By how many bytes rooms are ahead of the pushes of timelines, while both wait.
    private long _lead;

    public bool IsEmpty => _messages == 0;

    /// <summary>Whether a room push is next, though something waits in the outbox's other queue.</summary>
    public bool IsTurn => _messages > 0 && _held == 0 && _lead <= 0;

    /// <summary>Queues a push, and returns how many messages were dropped for it, its own included where it is one of them.</summary>
    public int Add(RoomPayload payload)
    {
        var size = payload.Get(codec).Length;
        var dropped = 0;
        while (_messages > 0 && (_bytes + size > maxBytes || _messages + payload.Count > maxMessages))
        {
            if (_normal is { Count: > 0 })
            {
                dropped += Remove(_normal.Dequeue());
            }
            else if (payload.IsHigh)
            {
                dropped += Remove(_high!.Dequeue());
            }
            else
            {
                return dropped + payload.Count;
            }
        }

        (payload.IsHigh ? _high ??= new Queue<RoomPayload>() : _normal ??= new Queue<RoomPayload>()).Enqueue(payload);
        _bytes += size;
        _messages += payload.Count;
        return dropped;
    }

    /// <summary>Takes the next push; call it only where there is one.</summary>
    public RoomPayload TakePayload()
    {
        var payload = _high is { Count: > 0 } ? _high.Dequeue() : _normal!.Dequeue();
        Remove(payload);
        if (_messages == 0)
        {
            Trim(ref _high);
            Trim(ref _normal);
        }

        return payload;
    }

    /// <summary>Takes the next push to write it; <paramref name="othersWait"/> = there is something in the outbox's other queue.</summary>
    public byte[] Take(bool othersWait)
    {
        var bytes = TakePayload().Get(codec);
        _lead = othersWait ? _lead + bytes.Length : 0;
        return bytes;
    }

    /// <summary>Something of the outbox's other queue was taken.</summary>
    public void OtherTaken(int bytes, bool isPush)
    {
        if (_held > 0)
        {
            _held--;
        }

        _lead = _messages == 0 ? 0 : isPush ? _lead - bytes : _lead;
    }

    /// <summary>Nothing of this is written before so many items of the outbox's other queue are.</summary>
    public void HoldFor(int items) => _held = items;

    /// <summary>Forgets what waits of a room.</summary>
    public void Forget(Room room)
    {
        Forget(room, _high);
        Forget(room, _normal);
    }

    private void Forget(Room room, Queue<RoomPayload>? queue)
    {
        for (var left = queue?.Count ?? 0; left > 0; left--)
        {
            var payload = queue!.Dequeue();
            if (payload.Room == room)
            {
                Remove(payload);
            }
            else
            {
                queue.Enqueue(payload);
            }
        }
    }

    private int Remove(RoomPayload payload)
    {
        _bytes -= payload.Get(codec).Length;
        _messages -= payload.Count;
        return payload.Count;
    }

    private static void Trim(ref Queue<RoomPayload>? queue)
    {
        if (queue is { Capacity: > MaxIdleCapacity })
        {
            queue = null;
        }
    }
}
