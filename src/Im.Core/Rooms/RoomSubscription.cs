using Im.Connections;
using Im.Protocol;

namespace Im.Rooms;

/// <summary>One connection's subscription to a room.</summary>
/// <remarks>
/// <code>
/// Starting: what is published is kept aside  --GoLive: reply, replay, what was kept-->  Live: it is queued  --End-->  Ended: nothing
///    └─ End: the host has removed it before it was live; it never is ───────────────────────────────────────────────────┘
/// </code>
/// It is starting from before the policy is asked, and in its room only after the policy has allowed it. Everything here is guarded by the outbox's lock,
/// but for <see cref="Room"/> and for <see cref="Index"/>, which belongs to the room and its lock. A room's batches are offered in order for each priority.
/// </remarks>
internal sealed class RoomSubscription(Session session, string roomId, ImRoomOptions options)
{
    private readonly Outbox _outbox = session.Connection.Outbox;

    // While starting; bounded like the connection's queue.
    private RoomQueue? _early;
    private State _state;
    private int _epochNumber;
    private long _high;
    private long _normal;

    private enum State : byte
    {
        Starting,
        Live,
        Ended,
    }

    public Session Session { get; } = session;

    public string RoomId { get; } = roomId;

    /// <summary>
    /// Null until the policy has allowed it. Set by the request that subscribes; it looks at <see cref="IsEnded"/> then, so that whoever ends it either finds
    /// the room here or is found out there.
    /// </summary>
    public Room? Room { get; set; }

    /// <summary>Where it stands in the room's array; -1 = nowhere.</summary>
    public int Index { get; set; } = -1;

    public bool IsEnded
    {
        get
        {
            lock (_outbox.Lock)
            {
                return IsEndedLocked;
            }
        }
    }

    public bool IsEndedLocked => _state == State.Ended;

    /// <summary>Queues what was published, and returns how many messages were dropped for it.</summary>
    public int Offer(RoomPayload payload)
    {
        int dropped;
        bool isFirst;
        lock (_outbox.Lock)
        {
            switch (_state)
            {
                case State.Ended:
                    return 0;
                case State.Starting:
                    _early ??= new RoomQueue(options.MaxQueueBytes, options.MaxQueueMessages, _outbox.Codec);
                    return _early.Add(payload);
            }

            dropped = AddLocked(payload, out isFirst);
        }

        if (isFirst)
        {
            _outbox.RequestWrite();
        }

        return dropped;
    }

    /// <summary>Queues the reply, what is replayed and what came meanwhile, each seq once, and goes live. Returns what was dropped. Call under the lock.</summary>
    public int GoLiveLocked(byte[] reply, RoomStart start)
    {
        _outbox.UseRoomsLocked(options);
        _outbox.EnqueueLocked(reply);
        _outbox.HoldRoomsLocked();
        (_epochNumber, _high, _normal) = (start.Heads.EpochNumber, start.Heads.High, start.Heads.Normal);
        var dropped = 0;
        foreach (var payload in start.Replay)
        {
            dropped += _outbox.AddRoomPushLocked(payload, out _);
        }

        while (_early is { IsEmpty: false })
        {
            dropped += AddLocked(_early.TakePayload(), out _);
        }

        _early = null;
        _state = State.Live;
        return dropped;
    }

    /// <summary>Nothing more is queued, and what waits is forgotten. Returns whether it was live. Call under the lock.</summary>
    public bool EndLocked()
    {
        var wasLive = _state == State.Live;
        _state = State.Ended;
        _early = null;
        if (wasLive)
        {
            _outbox.ForgetRoomLocked(Room!);
        }

        return wasLive;
    }

    private int AddLocked(RoomPayload payload, out bool isFirst)
    {
        isFirst = false;
        if (payload.EpochNumber != _epochNumber)
        {
            if (payload.EpochNumber < _epochNumber)
            {
                return 0;
            }

            (_epochNumber, _high, _normal) = (payload.EpochNumber, 0, 0);
        }

        ref var cursor = ref payload.IsHigh ? ref _high : ref _normal;
        if (payload.LastSeq <= cursor)
        {
            return 0;
        }

        if (payload.FirstSeq <= cursor)
        {
            payload = payload.After(cursor);
        }

        cursor = payload.LastSeq;
        return _outbox.AddRoomPushLocked(payload, out isFirst);
    }
}
