namespace Im.Rooms;

/// <summary>The host's say about who may use which room. It is asked for what clients ask; the host's own sends need no leave.</summary>
/// <remarks>
/// Registered with <c>AddRoomPolicy&lt;T&gt;()</c>; a scope of its own for each call. The requests of a connection wait for the answer, in order. An answer is not
/// remembered: <see cref="CanSendAsync"/> is asked for every message, so keep what it needs at hand; a subscription, once allowed, stays until
/// <see cref="IImRooms.RemoveAsync"/>. An exception refuses the request as an internal error.
/// </remarks>
public interface IRoomPolicy
{
    /// <summary>Whether the device may subscribe to the room.</summary>
    ValueTask<bool> CanSubscribeAsync(RoomAccess access, CancellationToken cancellationToken);

    /// <summary>Whether the device may send to the room; it need not subscribe to it.</summary>
    ValueTask<bool> CanSendAsync(RoomAccess access, CancellationToken cancellationToken);
}
