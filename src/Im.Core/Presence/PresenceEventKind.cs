namespace Im.Presence;

/// <summary>What has happened to a user or a device.</summary>
public enum PresenceEventKind
{
    /// <summary>A device has a session, and had none.</summary>
    DeviceConnected,

    /// <summary>A device has no session any more.</summary>
    DeviceDisconnected,

    /// <summary>The user's first device connected.</summary>
    UserOnline,

    /// <summary>The user's last device disconnected.</summary>
    UserOffline,
}
