using Im.Protocol;
using Im.Rooms;

namespace Im.Connections;

/// <content>The rooms that the connection subscribes to. The outbox's lock guards them; a room's own lock is never taken under it.</content>
internal sealed partial class Session
{
    private List<RoomSubscription>? _rooms;

    /// <summary>Whether one more room than now would be within the limit, or the room is one of them.</summary>
    public bool HasPlaceForRoom(string roomId, int max)
    {
        lock (_outbox.Lock)
        {
            return _rooms is null || _rooms.Count < max || _rooms.Exists(other => other.Room.Id == roomId);
        }
    }

    /// <summary>
    /// In one step: answers the subscription and takes it among the session's, queues what it starts with, and leaves those that it replaces. False: the
    /// session is over.
    /// </summary>
    public bool GoLive(RoomSubscription subscription, RoomStart start, bool leaveOthers, ServerPacket answer, RoomMetrics metrics)
    {
        var reply = PacketCodec.Write(answer, _outbox.Codec);
        List<RoomSubscription> ended;
        int dropped;
        lock (_outbox.Lock)
        {
            if (_isClosed)
            {
                return false;
            }

            _rooms ??= new List<RoomSubscription>(1);
            ended = _rooms.FindAll(other => leaveOthers || other.Room.Id == subscription.Room.Id);
            foreach (var other in ended)
            {
                other.EndLocked();
                _rooms.Remove(other);
            }

            _rooms.Add(subscription);
            dropped = subscription.GoLiveLocked(reply, start);
        }

        _outbox.RequestWrite();
        metrics.Offered(start.Replay.Sum(payload => (long)payload.Count), dropped);
        RemoveFromRooms(ended);
        return true;
    }

    /// <summary>Ends a subscription; false where there was none.</summary>
    public bool LeaveRoom(string roomId)
    {
        RoomSubscription? subscription;
        lock (_outbox.Lock)
        {
            subscription = _rooms?.Find(other => other.Room.Id == roomId);
            if (subscription is null)
            {
                return false;
            }

            subscription.EndLocked();
            _rooms!.Remove(subscription);
        }

        subscription.Room.Remove(subscription);
        return true;
    }

    /// <summary>Whether the connection subscribes to the room.</summary>
    public bool IsInRoom(string roomId)
    {
        lock (_outbox.Lock)
        {
            return _rooms?.Exists(other => other.Room.Id == roomId) == true;
        }
    }

    // The session is closed: none comes after this.
    private void EndRooms()
    {
        List<RoomSubscription> ended;
        lock (_outbox.Lock)
        {
            if (_rooms is null)
            {
                return;
            }

            ended = _rooms;
            _rooms = null;
            ended.ForEach(subscription => subscription.EndLocked());
        }

        RemoveFromRooms(ended);
    }

    private static void RemoveFromRooms(List<RoomSubscription> ended)
    {
        foreach (var subscription in ended)
        {
            subscription.Room.Remove(subscription);
        }
    }
}
