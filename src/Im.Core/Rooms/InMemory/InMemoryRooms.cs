using System.Collections.Concurrent;
using Im.Protocol;

namespace Im.Rooms.InMemory;

/// <summary>The rooms of one process; several nodes may share it.</summary>
/// <remarks>
/// A room that nobody publishes to for its replay time is forgotten when somebody asks for it; what nobody asks for goes with a look at all, at
/// every doubling of their number.
/// </remarks>
internal sealed class InMemoryRooms(TimeProvider time)
{
    private const int FirstSweep = 256;

    private readonly ConcurrentDictionary<string, InMemoryRoom> _rooms = new(StringComparer.Ordinal);
    private int _sweepAt = FirstSweep;

    /// <summary>How many rooms are kept; for tests.</summary>
    public int Count => _rooms.Count;

    public RoomPosition Publish(string roomId, RoomPriority priority, IReadOnlyList<ReadOnlyMemory<byte>> messages, RoomReplayLimits keep)
    {
        RoomPosition first;
        while (!Get(roomId).TryPublish(priority, messages, keep, out first))
        {
            // It was just taken out.
        }

        return first;
    }

    public void Listen(string roomId, Action<RoomBatch> receive)
    {
        while (!Get(roomId).TryListen(receive))
        {
            // It was just taken out.
        }
    }

    public void StopListening(string roomId, Action<RoomBatch> receive)
    {
        if (_rooms.TryGetValue(roomId, out var room))
        {
            room.StopListening(receive);
        }
    }

    public RoomReplay Read(string roomId, RoomPriority priority, long afterSeq, int limit, long notBeforeMs) =>
        _rooms.TryGetValue(roomId, out var room)
            ? room.Read(priority, afterSeq, limit, notBeforeMs)
            : new RoomReplay(new RoomPosition("", 0), 1, []);

    private InMemoryRoom Get(string roomId)
    {
        while (true)
        {
            if (_rooms.TryGetValue(roomId, out var room))
            {
                if (!room.IsGone)
                {
                    return room;
                }

                _rooms.TryRemove(KeyValuePair.Create(roomId, room));
                continue;
            }

            _rooms.TryAdd(roomId, new InMemoryRoom(roomId, time));
            Sweep();
        }
    }

    private void Sweep()
    {
        var at = Volatile.Read(ref _sweepAt);
        if (_rooms.Count < at || Interlocked.CompareExchange(ref _sweepAt, int.MaxValue, at) != at)
        {
            return;
        }

        foreach (var pair in _rooms)
        {
            if (pair.Value.TryGo())
            {
                _rooms.TryRemove(pair);
            }
        }

        Volatile.Write(ref _sweepAt, Math.Max(FirstSweep, _rooms.Count * 2));
    }
}
