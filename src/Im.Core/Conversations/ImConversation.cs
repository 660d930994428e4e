using Im.Model;
using Im.Timelines;

namespace Im.Conversations;

/// <summary>A conversation as one user sees it.</summary>
public sealed record ImConversation
{
    /// <summary>Its id.</summary>
    public required string ConversationId { get; init; }

    /// <summary>The group's name, avatar and extra; null for a direct conversation.</summary>
    public GroupInfo? Group { get; init; }

    /// <summary>The other party of a direct conversation; null for a group.</summary>
    public string? PeerId { get; init; }

    /// <summary>The last entry's seq.</summary>
    public required ConversationSeq Head { get; init; }

    /// <summary>How far the user has read.</summary>
    public required ConversationSeq ReadSeq { get; init; }

    /// <summary>How many messages the user has not read; own messages never count.</summary>
    public required long Unread { get; init; }

    /// <summary>How many members.</summary>
    public required int MemberCount { get; init; }

    /// <summary>The newest entry.</summary>
    public ImEntry? LastEntry { get; init; }
}
