namespace Im.Presence;

/// <summary>A user or a device has come or gone.</summary>
/// <param name="Kind">What has happened.</param>
/// <param name="UserId">The user.</param>
/// <param name="DeviceId">The device: the one that connected or disconnected, also where that took the user online or offline.</param>
/// <param name="DeviceType">The device's type; may be empty.</param>
/// <param name="NodeName">The node that has, or had, the session.</param>
/// <param name="TimeMs">When, by the clock of the node that tells, unix milliseconds UTC: for a user who went offline, when last seen.</param>
public sealed record PresenceEvent(PresenceEventKind Kind, string UserId, string DeviceId, string DeviceType, string NodeName, long TimeMs);
