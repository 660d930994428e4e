using Im.Devices;
using Im.Presence;

namespace Im.Administration;

/// <summary>A user who is online.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Sessions">The user's sessions.</param>
public sealed record AdminOnlineUser(string UserId, IReadOnlyList<AdminOnlineSession> Sessions);

/// <summary>A session as the directory has it.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="DeviceType">Its type; may be empty.</param>
/// <param name="Node">The node that has the connection.</param>
/// <param name="ConnectionId">The connection.</param>
/// <param name="SignedInMs">Since when, by its node's clock.</param>
public sealed record AdminOnlineSession(string DeviceId, string DeviceType, string Node, string ConnectionId, long SignedInMs);

/// <summary>A part of all users who are online.</summary>
/// <param name="Users">The users.</param>
/// <param name="Next">For the next page; null = this was the last one.</param>
public sealed record AdminOnlinePage(IReadOnlyList<AdminOnlineUser> Users, string? Next);

/// <summary>A user.</summary>
public sealed record AdminUser
{
    /// <summary>The user.</summary>
    public required string UserId { get; init; }

    /// <summary>Whether there is a session.</summary>
    public required bool IsOnline { get; init; }

    /// <summary>When the last session ended, by the directory's clock; 0 = not known.</summary>
    public required long LastSeenMs { get; init; }

    /// <summary>The last entry of the user's inbox.</summary>
    public required long InboxHead { get; init; }

    /// <summary>The sessions now, ordered by device id.</summary>
    public required IReadOnlyList<ImSession> Sessions { get; init; }

    /// <summary>The devices that ever signed in, ordered by id, at most the page limit of them.</summary>
    public required IReadOnlyList<AdminDevice> Devices { get; init; }

    /// <summary>The conversations of this page, ordered by id.</summary>
    public required IReadOnlyList<AdminConversation> Conversations { get; init; }

    /// <summary>The last id of this page, for the next one; null = this was the last page.</summary>
    public required string? NextConversation { get; init; }
}

/// <summary>A device and how far it has stored the inbox.</summary>
/// <param name="Device">The device as it described itself at its last sign-in.</param>
/// <param name="AckedInboxSeq">It has said that it has stored the inbox up to here; 0 = it has said nothing.</param>
public sealed record AdminDevice(ImDevice Device, long AckedInboxSeq);

/// <summary>A conversation as one user sees it.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="Name">The group's name; empty for a direct conversation.</param>
/// <param name="Head">The last entry's seq.</param>
/// <param name="ReadSeq">How far the user has read.</param>
/// <param name="Unread">How many messages the user has not read.</param>
/// <param name="MemberCount">How many members it has.</param>
public sealed record AdminConversation(string ConversationId, string Name, long Head, long ReadSeq, long Unread, int MemberCount);
