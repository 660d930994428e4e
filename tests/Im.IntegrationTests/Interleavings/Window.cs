namespace Im.IntegrationTests.Interleavings;

/// <summary>When something is committed, and when its delivery goes on, relative to a device's sign-in.</summary>
public enum Window
{
    /// <summary>All of it before the device connects.</summary>
    Before,

    /// <summary>The session stands in the registry; nothing has been read.</summary>
    Registered,

    /// <summary>The cursors, or the snapshot, have been read; the timelines are not installed.</summary>
    Read,

    /// <summary>The session is open, and the first page of the group's own timeline is about to be read.</summary>
    PageChosen,

    /// <summary>The first page has been read and is not queued: the session is about to go live.</summary>
    PageRead,

    /// <summary>The sign-in was answered.</summary>
    Live,

    /// <summary>Committed before the device connects; delivered when the session stands in the registry.</summary>
    CommittedBeforeDeliveredRegistered,

    /// <summary>Committed before the device connects; delivered when the cursors have been read.</summary>
    CommittedBeforeDeliveredRead,

    /// <summary>Committed before the device connects; delivered when the first page has been read.</summary>
    CommittedBeforeDeliveredPageRead,

    /// <summary>Committed before the device connects; delivered when the sign-in was answered.</summary>
    CommittedBeforeDeliveredLive,

    /// <summary>Committed when the session stands in the registry; delivered when the cursors have been read.</summary>
    CommittedRegisteredDeliveredRead,

    /// <summary>Committed when the session stands in the registry; delivered when the sign-in was answered.</summary>
    CommittedRegisteredDeliveredLive,
}
