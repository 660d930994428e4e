using Im.Cluster;
using Im.Cluster.Wire;
using Im.Protocol;

namespace Im.Presence;

/// <summary>A user's presence as somebody saw it. Immutable.</summary>
/// <param name="UserId">The user.</param>
/// <param name="IsOnline">Whether the user has a session.</param>
/// <param name="DeviceTypes">Their types, each once, sorted.</param>
/// <param name="LastSeenMs">When last seen; 0 = online, or not known.</param>
internal sealed record PresenceState(string UserId, bool IsOnline, string[] DeviceTypes, long LastSeenMs)
{
    public static PresenceState Of(UserSessions user, ClusterView view)
    {
        var sessions = user.Sessions.Where(view.IsAlive).ToArray();
        return sessions.Length > 0
            ? new PresenceState(user.UserId, true, Sort(sessions.Select(session => session.DeviceType)), 0)
            : new PresenceState(user.UserId, false, [], user.LastSeenMs);
    }

    public static PresenceState Of(PresenceUpdate update) =>
        new(update.UserId, update.IsOnline, Sort(update.DeviceTypes), update.IsOnline ? 0 : update.LastSeenMs);

    public static string[] Sort(IEnumerable<string> types) =>
        [.. types.Where(type => type.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Whether a subscriber who knows <paramref name="known"/> learns nothing from this.</summary>
    public bool IsSameAs(PresenceState known) =>
        IsOnline == known.IsOnline && DeviceTypes.AsSpan().SequenceEqual(known.DeviceTypes) && (LastSeenMs == 0 || LastSeenMs == known.LastSeenMs);

    /// <summary>Whether something of <paramref name="known"/> is gone.</summary>
    public bool Loses(PresenceState known) => known.IsOnline && (!IsOnline || known.DeviceTypes.Except(DeviceTypes, StringComparer.Ordinal).Any());

    /// <summary>What both say is online; both are of the same user.</summary>
    public PresenceState Join(PresenceState known) => this with { IsOnline = true, DeviceTypes = Sort(DeviceTypes.Concat(known.DeviceTypes)), LastSeenMs = 0 };

    public PresenceUpdate ToUpdate() => new() { UserId = UserId, IsOnline = IsOnline, DeviceTypes = { DeviceTypes }, LastSeenMs = LastSeenMs };

    public UserPresence ToWire() => new() { UserId = UserId, IsOnline = IsOnline, DeviceTypes = { DeviceTypes }, LastSeenMs = LastSeenMs };
}
