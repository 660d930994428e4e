using Im.Cluster;
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
            return _rooms is null || _rooms.Count < max || _rooms.Exists(other => other.RoomId == roomId);
        }
    }

    /// <summary>
    /// In one step: answers the subscription and takes it among the session's, queues what it starts with, and leaves those that it replaces. False: the
    /// session is over, or the host has ended the subscription.
    /// </summary>
    public bool GoLive(RoomSubscription subscription, RoomStart start, bool leaveOthers, ServerPacket answer, RoomMetrics metrics)
    {
        var reply = PacketCodec.Write(answer, _outbox.Codec);
        List<RoomSubscription> ended;
        int dropped;
        lock (_outbox.Lock)
        {
            if (_isClosed || subscription.IsEndedLocked)
            {
                return false;
            }

            _rooms ??= new List<RoomSubscription>(1);
            ended = _rooms.FindAll(other => leaveOthers || other.RoomId == subscription.RoomId);
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

    /// <summary>Ends the subscription to a room, if there is one.</summary>
    public void LeaveRoom(string roomId)
    {
        RoomSubscription? subscription;
        lock (_outbox.Lock)
        {
            subscription = _rooms?.Find(other => other.RoomId == roomId);
            if (subscription is null)
            {
                return;
            }

            subscription.EndLocked();
            _rooms!.Remove(subscription);
        }

        subscription.Room!.Remove(subscription);
    }

    /// <summary>
    /// The host ends a subscription. One that is live (true): the client is told in the same step, so before the answer to whatever it asks next. One that is
    /// being made never goes live, and its request is refused.
    /// </summary>
    public bool RemoveFromRoom(RoomSubscription subscription, SharedPacket left)
    {
        bool wasLive;
        lock (_outbox.Lock)
        {
            wasLive = subscription.EndLocked();
            if (wasLive)
            {
                _rooms!.Remove(subscription);
                _outbox.EnqueueLocked(left.Get(_outbox.Codec));
            }
        }

        if (wasLive)
        {
            _outbox.RequestWrite();
        }

        subscription.Room?.Remove(subscription);
        return wasLive;
    }

    /// <summary>Whether the connection subscribes to the room.</summary>
    public bool IsInRoom(string roomId)
    {
        lock (_outbox.Lock)
        {
            return _rooms?.Exists(other => other.RoomId == roomId) == true;
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
            ended.ForEach(static subscription => subscription.EndLocked());
        }

        RemoveFromRooms(ended);
    }

    private static void RemoveFromRooms(List<RoomSubscription> ended)
    {
        foreach (var subscription in ended)
        {
            subscription.Room!.Remove(subscription);
        }
    }
}
