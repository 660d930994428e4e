using Im.Protocol;

namespace Im.Rooms;

/// <summary>Consecutive messages of one room and priority.</summary>
/// <param name="RoomId">The room.</param>
/// <param name="Epoch">Its epoch.</param>
/// <param name="Priority">The priority.</param>
/// <param name="FirstSeq">The first message's seq.</param>
/// <param name="Messages">The messages, encoded.</param>
public sealed record RoomBatch(string RoomId, string Epoch, RoomPriority Priority, long FirstSeq, IReadOnlyList<ReadOnlyMemory<byte>> Messages);

/// <summary>A position in a room.</summary>
/// <param name="Epoch">The room's epoch.</param>
/// <param name="Seq">The seq; 0 = before the first message.</param>
public readonly record struct RoomPosition(string Epoch, long Seq);

/// <summary>What a room keeps for those who come later.</summary>
/// <param name="Messages">At most so many messages of each priority; 0 = none.</param>
/// <param name="Age">At most for so long.</param>
public readonly record struct RoomReplayLimits(int Messages, TimeSpan Age);

/// <summary>What is kept of a room.</summary>
/// <param name="Head">Where the room stands.</param>
/// <param name="FirstSeq">The seq of the first message.</param>
/// <param name="Messages">The messages, encoded; consecutive up to the head.</param>
public sealed record RoomReplay(RoomPosition Head, long FirstSeq, IReadOnlyList<ReadOnlyMemory<byte>> Messages);
