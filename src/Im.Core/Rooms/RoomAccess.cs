namespace Im.Rooms;

/// <summary>Who asks for which room.</summary>
/// <param name="UserId">The signed-in user.</param>
/// <param name="DeviceId">The user's device.</param>
/// <param name="RoomId">The room.</param>
public readonly record struct RoomAccess(string UserId, string DeviceId, string RoomId);
