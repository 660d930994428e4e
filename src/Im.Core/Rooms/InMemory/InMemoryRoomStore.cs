using Im.Protocol;

namespace Im.Rooms.InMemory;

/// <summary>A node's end of the rooms of this process.</summary>
/// <remarks>A publish hands its batch to the listeners before it ends: so who publishes faster than they take it waits, and nothing is queued here.</remarks>
internal sealed class InMemoryRoomStore(InMemoryRooms rooms) : IRoomStore
{
    private Action<RoomBatch> _receive = static _ => throw new InvalidOperationException("The store of rooms is not started; call StartAsync first.");

    public ValueTask StartAsync(Action<RoomBatch> receive, CancellationToken cancellationToken)
    {
        _receive = receive;
        return ValueTask.CompletedTask;
    }

    public ValueTask<RoomPosition> PublishAsync(
        string roomId, RoomPriority priority, IReadOnlyList<ReadOnlyMemory<byte>> messages, RoomReplayLimits keep, CancellationToken cancellationToken) =>
        ValueTask.FromResult(rooms.Publish(roomId, priority, messages, keep));

    public ValueTask ListenAsync(string roomId, CancellationToken cancellationToken)
    {
        rooms.Listen(roomId, _receive);
        return ValueTask.CompletedTask;
    }

    public ValueTask StopListeningAsync(string roomId, CancellationToken cancellationToken)
    {
        rooms.StopListening(roomId, _receive);
        return ValueTask.CompletedTask;
    }

    public ValueTask<RoomReplay> ReadAsync(
        string roomId, RoomPriority priority, long afterSeq, int limit, long notBeforeMs, CancellationToken cancellationToken) =>
        ValueTask.FromResult(rooms.Read(roomId, priority, afterSeq, limit, notBeforeMs));
}
