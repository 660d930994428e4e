using Im.Protocol;

namespace Im.Rooms;

/// <summary>Where a room stands, as this node knows it.</summary>
/// <param name="Epoch">The epoch; empty = nobody has published yet.</param>
/// <param name="EpochNumber">The epoch as this node counts them.</param>
/// <param name="High">The last seq of the high messages.</param>
/// <param name="Normal">The last seq of the normal messages.</param>
internal readonly record struct RoomHeads(string Epoch, int EpochNumber, long High, long Normal)
{
    public long Get(RoomPriority priority) => priority == RoomPriority.High ? High : Normal;

    public RoomHeads With(RoomPriority priority, long seq) => priority == RoomPriority.High ? this with { High = seq } : this with { Normal = seq };
}

/// <summary>Where a subscription begins: the heads that it is told, and what is replayed up to them.</summary>
internal sealed record RoomStart(RoomHeads Heads, IReadOnlyList<RoomPayload> Replay);
