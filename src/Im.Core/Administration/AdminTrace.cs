namespace Im.Administration;

/// <summary>Which message, and for whom: either conversation and seq, or sender and client message id.</summary>
public sealed record AdminTraceQuery
{
    /// <summary>The user who should have got it.</summary>
    public required string UserId { get; init; }

    /// <summary>The conversation.</summary>
    public string? ConversationId { get; init; }

    /// <summary>The message's seq there.</summary>
    public long? Seq { get; init; }

    /// <summary>Who sent it.</summary>
    public string? SenderId { get; init; }

    /// <summary>The sender's id for it.</summary>
    public string? ClientMessageId { get; init; }
}

/// <summary>The answer in one word.</summary>
public enum AdminVerdict
{
    /// <summary>The server has no such message.</summary>
    NotAccepted,

    /// <summary>The user was no member when it was stored, so it was never for this user.</summary>
    NotAMember,

    /// <summary>It was stored for the user and its content is no longer kept: retention, or erased.</summary>
    Gone,

    /// <summary>The user has never signed in with a device.</summary>
    NoDevice,

    /// <summary>All devices have said that they have it.</summary>
    Delivered,

    /// <summary>Some devices have it, others do not.</summary>
    DeliveredToSome,

    /// <summary>It was handed to a connection, and the device has not said that it has it.</summary>
    NotAcked,

    /// <summary>The device is connected and its session has not come to it yet.</summary>
    Behind,

    /// <summary>No device without it is connected; it is waiting in the store.</summary>
    Offline,

    /// <summary>A node that may have the user's connection did not answer.</summary>
    NodeDidNotAnswer,
}

/// <summary>How it comes to the user's devices.</summary>
public enum AdminRoute
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Through the user's inbox (fan-out on write).</summary>
    Inbox,

    /// <summary>Through the conversation's own timeline (fan-out on read).</summary>
    Conversation,
}

/// <summary>What is known of one message and one user.</summary>
public sealed record AdminTrace
{
    /// <summary>The answer in one word.</summary>
    public required AdminVerdict Verdict { get; init; }

    /// <summary>The answer for people.</summary>
    public required string Text { get; init; }

    /// <summary>The user.</summary>
    public required string UserId { get; init; }

    /// <summary>The message; null = there is none.</summary>
    public AdminTracedMessage? Message { get; init; }

    /// <summary>The user's stays in the conversation, oldest first.</summary>
    public IReadOnlyList<AdminStay> Stays { get; init; } = [];

    /// <summary>Which way it comes to the user.</summary>
    public AdminRoute Route { get; init; }

    /// <summary>Where it stands in the user's inbox; 0 = not there, or not found near its time.</summary>
    public long InboxSeq { get; init; }

    /// <summary>The user's devices.</summary>
    public IReadOnlyList<AdminTracedDevice> Devices { get; init; } = [];

    /// <summary>What the offline notifiers did, of all nodes.</summary>
    public IReadOnlyList<AdminNotice> Notices { get; init; } = [];

    /// <summary>Nodes that did not answer.</summary>
    public IReadOnlyList<string> SilentNodes { get; init; } = [];
}

/// <summary>The message that was looked for.</summary>
/// <param name="ConversationId">Its conversation.</param>
/// <param name="Seq">Its seq there.</param>
/// <param name="SenderId">Who sent it; empty where it is below the floor.</param>
/// <param name="ClientMessageId">The sender's id for it.</param>
/// <param name="AcceptedMs">When it was accepted; 0 = no longer known.</param>
/// <param name="Kind">What it is, for example <c>message</c>.</param>
/// <param name="IsGone">Its content is no longer kept.</param>
/// <param name="IsBelowFloor">Retention has forgotten it altogether.</param>
public sealed record AdminTracedMessage(
    string ConversationId, long Seq, string SenderId, string ClientMessageId, long AcceptedMs, string Kind, bool IsGone, bool IsBelowFloor);

/// <summary>A stay of the user in the conversation.</summary>
/// <param name="FirstSeq">The entry with which it began; 1 in direct conversations.</param>
/// <param name="LastSeq">The entry with which it ended; null = it goes on.</param>
public sealed record AdminStay(long FirstSeq, long? LastSeq);

/// <summary>How far one device is.</summary>
public enum AdminDeviceState
{
    /// <summary>The device has said that it has it.</summary>
    Acked,

    /// <summary>It was queued for the device's connection or sent; the device has not said that it has it.</summary>
    Pushed,

    /// <summary>The device is connected; its session has not come to it yet.</summary>
    Behind,

    /// <summary>The device is not connected, as far as the nodes that answered know.</summary>
    NoSession,
}

/// <summary>One of the user's devices, and the message.</summary>
public sealed record AdminTracedDevice
{
    /// <summary>The device.</summary>
    public required string DeviceId { get; init; }

    /// <summary>How far it is.</summary>
    public required AdminDeviceState State { get; init; }

    /// <summary>It has said that it has stored the timeline of <see cref="AdminTrace.Route"/> up to here.</summary>
    public required long AckedSeq { get; init; }

    /// <summary>When it last signed in; 0 = not known.</summary>
    public required long LastSignInMs { get; init; }

    /// <summary>Its connection; null = none.</summary>
    public AdminSessionPlace? Session { get; init; }
}

/// <summary>A session, and how far it is in one timeline.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="Node">The node that has it.</param>
/// <param name="ConnectionId">Its connection.</param>
/// <param name="SignedInMs">Since when.</param>
/// <param name="LastReceivedMs">When something last arrived from it.</param>
/// <param name="QueuedBytes">How much waits to be written.</param>
/// <param name="Inbox">Its inbox.</param>
/// <param name="Conversation">The conversation's own timeline; null = it does not follow it.</param>
public sealed record AdminSessionPlace(
    string DeviceId,
    string Node,
    string ConnectionId,
    long SignedInMs,
    long LastReceivedMs,
    int QueuedBytes,
    AdminTimeline Inbox,
    AdminTimeline? Conversation);

/// <summary>What became of a notice.</summary>
public enum AdminNoticeOutcome
{
    /// <summary>The notifier was told and did not fail.</summary>
    Told,

    /// <summary>The notifier threw.</summary>
    Failed,

    /// <summary>It was dropped, since the handlers were slower than the commits.</summary>
    Dropped,

    /// <summary>The user had a session then, or sent it; nobody was to be told.</summary>
    NotWanted,

    /// <summary>The notifier is being told.</summary>
    Telling,
}

/// <summary>What an offline notifier did with a message for a user.</summary>
/// <param name="Node">The node that committed the message.</param>
/// <param name="TimeMs">When.</param>
/// <param name="Notifier">The notifier's type; empty where none was asked.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Error">What it threw; empty = nothing.</param>
public sealed record AdminNotice(string Node, long TimeMs, string Notifier, AdminNoticeOutcome Outcome, string Error);
