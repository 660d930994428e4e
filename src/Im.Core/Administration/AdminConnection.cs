using Im.Devices;

namespace Im.Administration;

/// <summary>How far a connection is.</summary>
public enum AdminConnectionState
{
    /// <summary>It has not signed in yet.</summary>
    SigningIn,

    /// <summary>It has everything that is known to exist for it.</summary>
    Live,

    /// <summary>It is reading what it misses from the store.</summary>
    Behind,

    /// <summary>It is being closed.</summary>
    Closing,
}

/// <summary>Which connections; what is null does not matter.</summary>
public sealed record AdminConnectionFilter
{
    /// <summary>Of this user.</summary>
    public string? UserId { get; init; }

    /// <summary>Of this device.</summary>
    public string? DeviceId { get; init; }

    /// <summary>On this node.</summary>
    public string? Node { get; init; }

    /// <summary>Of this transport, for example <c>tcp</c>.</summary>
    public string? Transport { get; init; }

    /// <summary>In this state.</summary>
    public AdminConnectionState? State { get; init; }
}

/// <summary>A connection in a list.</summary>
public sealed record AdminConnection
{
    /// <summary>The node that has it.</summary>
    public required string Node { get; init; }

    /// <summary>Unique on its node.</summary>
    public required string ConnectionId { get; init; }

    /// <summary>How far it is.</summary>
    public required AdminConnectionState State { get; init; }

    /// <summary>The user; empty before sign-in.</summary>
    public required string UserId { get; init; }

    /// <summary>The device; empty before sign-in.</summary>
    public required string DeviceId { get; init; }

    /// <summary>The transport's name.</summary>
    public required string Transport { get; init; }

    /// <summary>The client's address.</summary>
    public required string RemoteAddress { get; init; }

    /// <summary>Since when it is open.</summary>
    public required long OpenedMs { get; init; }

    /// <summary>Since when it is signed in; 0 = it is not.</summary>
    public required long SignedInMs { get; init; }

    /// <summary>When something last arrived from the client.</summary>
    public required long LastReceivedMs { get; init; }

    /// <summary>How much waits to be written.</summary>
    public required int QueuedBytes { get; init; }
}

/// <summary>A part of all connections.</summary>
/// <param name="Connections">The connections, by node and then by age.</param>
/// <param name="Next">For the next page; null = this was the last one.</param>
/// <param name="SilentNodes">Nodes that did not answer; their connections are missing.</param>
public sealed record AdminConnectionPage(IReadOnlyList<AdminConnection> Connections, string? Next, IReadOnlyList<string> SilentNodes);

/// <summary>Everything about one connection.</summary>
public sealed record AdminConnectionDetail
{
    /// <summary>What a list has of it.</summary>
    public required AdminConnection Connection { get; init; }

    /// <summary>The device as it described itself; null before sign-in.</summary>
    public ImDevice? Device { get; init; }

    /// <summary>How packets are written: <c>protobuf</c> or <c>json</c>.</summary>
    public required string Codec { get; init; }

    /// <summary>When its token expires; 0 = never.</summary>
    public required long TokenExpiresMs { get; init; }

    /// <summary>How much was ever taken out of its queue to be written.</summary>
    public required long WrittenBytes { get; init; }

    /// <summary>Requests that are being handled or wait.</summary>
    public required int PendingRequests { get; init; }

    /// <summary>Whether it is not read from, since too much waits.</summary>
    public required bool IsPaused { get; init; }

    /// <summary>The inbox and the conversations that it follows, at most the page limit of them.</summary>
    public required IReadOnlyList<AdminTimeline> Timelines { get; init; }

    /// <summary>How many timelines it follows in all.</summary>
    public required int TimelineCount { get; init; }

    /// <summary>The rooms that it has subscribed to.</summary>
    public required IReadOnlyList<string> Rooms { get; init; }
}

/// <summary>How far a session is in a timeline.</summary>
/// <param name="ConversationId">The conversation; null = the inbox.</param>
/// <param name="Cursor">The last entry that was queued for it.</param>
/// <param name="KnownHead">The last entry that it knows to exist.</param>
/// <param name="IsLive">Whether new entries are pushed; otherwise it is reading.</param>
/// <param name="IsFinished">Whether the session gets nothing more of it: the user has left the conversation.</param>
public sealed record AdminTimeline(string? ConversationId, long Cursor, long KnownHead, bool IsLive, bool IsFinished);
