using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>The rooms that the application is in, over reconnects, and how far each was received.</summary>
/// <remarks>The read loop changes it, and the application by leaving; the lock protects all of it and is never held over I/O.</remarks>
internal sealed class RoomBook
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, RoomCursors> _rooms = new(StringComparer.Ordinal);

    /// <summary>The server has answered a subscription: one that the application asked for, or the client itself after a reconnect.</summary>
    public void Subscribed(SubscribeRoom request, RoomSubscribed answer, bool isOwn)
    {
        lock (_gate)
        {
            if (isOwn)
            {
                _rooms.GetValueOrDefault(request.RoomId)?.Resubscribed(answer);
                return;
            }

            if (request.LeaveOthers)
            {
                _rooms.Clear();
            }

            _rooms[request.RoomId] = new RoomCursors(request, answer);
        }
    }

    /// <summary>Takes a room out; false where it was not there.</summary>
    public bool Remove(string roomId)
    {
        lock (_gate)
        {
            return _rooms.Remove(roomId);
        }
    }

    /// <summary>How to subscribe to all rooms again on a new connection.</summary>
    public SubscribeRoom[] Resubscriptions()
    {
        lock (_gate)
        {
            return [.. _rooms.Values.Select(room => room.Resubscribe())];
        }
    }

    /// <summary>How to subscribe to a room again; null where it was left.</summary>
    public SubscribeRoom? Resubscription(string roomId)
    {
        lock (_gate)
        {
            return _rooms.GetValueOrDefault(roomId)?.Resubscribe();
        }
    }

    /// <summary>Whether the message at a seq is new, and what is missing before it. Nothing is changed but the epoch.</summary>
    public (bool IsNew, ImRoomGapEvent? Gap) Place(RoomPush push, long seq)
    {
        lock (_gate)
        {
            return _rooms.GetValueOrDefault(push.RoomId)?.Place(push, seq) ?? (false, null);
        }
    }

    /// <summary>The message, or the gap, up to this seq is in the buffer.</summary>
    public void Advance(RoomPush push, long seq)
    {
        lock (_gate)
        {
            _rooms.GetValueOrDefault(push.RoomId)?.Advance(push, seq);
        }
    }
}
