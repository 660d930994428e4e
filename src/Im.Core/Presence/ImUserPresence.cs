namespace Im.Presence;

/// <summary>One user's presence.</summary>
/// <param name="UserId">The user.</param>
/// <param name="IsOnline">Whether the user has a session.</param>
/// <param name="DeviceTypes">The types of the devices that have one, each once, in order; see <see cref="IImSessions"/> for the devices themselves.</param>
/// <param name="LastSeenMs">
/// Of a user who is offline, when the last session ended, or where that is not known any more when a device last signed in; unix milliseconds UTC, 0 = never.
/// </param>
public sealed record ImUserPresence(string UserId, bool IsOnline, IReadOnlyList<string> DeviceTypes, long LastSeenMs);
