namespace Im.Rooms;

/// <summary>A message of the host's.</summary>
internal sealed class HostRoomMessage(ReadOnlyMemory<byte> bytes) : PendingRoomMessage(bytes)
{
    private readonly TaskCompletionSource<RoomPosition> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<RoomPosition> Done => _done.Task;

    public override void Sent(RoomPosition position) => _done.TrySetResult(position);

    public override void Refuse(ImException exception) => _done.TrySetException(exception);
}
