using Im.Protocol;

namespace Im.Rooms;

/// <summary>A message that waits for its publish, and how its sender is answered: exactly once.</summary>
internal abstract class PendingRoomMessage(ReadOnlyMemory<byte> bytes)
{
    /// <summary>The message, encoded.</summary>
    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    public abstract void Sent(RoomPosition position);

    public abstract void Refuse(ImException exception);
}
