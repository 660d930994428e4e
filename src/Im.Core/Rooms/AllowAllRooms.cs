namespace Im.Rooms;

/// <summary>The policy of a host whose rooms are open to all its users.</summary>
internal sealed class AllowAllRooms : IRoomPolicy
{
    public ValueTask<bool> CanSubscribeAsync(RoomAccess access, CancellationToken cancellationToken) => ValueTask.FromResult(true);

    public ValueTask<bool> CanSendAsync(RoomAccess access, CancellationToken cancellationToken) => ValueTask.FromResult(true);
}
