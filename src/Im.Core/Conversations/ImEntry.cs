using Im.Model;
using Im.Timelines;

namespace Im.Conversations;

/// <summary>One entry of a conversation, for the host's own code.</summary>
public sealed record ImEntry
{
    /// <summary>The conversation.</summary>
    public required string ConversationId { get; init; }

    /// <summary>Its seq.</summary>
    public required ConversationSeq Seq { get; init; }

    /// <summary>Who sent it or did it.</summary>
    public required string SenderId { get; init; }

    /// <summary>The sender's id for it.</summary>
    public required string ClientMessageId { get; init; }

    /// <summary>Server time, unix milliseconds UTC.</summary>
    public required long TimeMs { get; init; }

    /// <summary>What it is.</summary>
    public required EntryKind Kind { get; init; }

    /// <summary>What the message says; null for a change or when the body is gone.</summary>
    public MessageContent? Content { get; init; }

    /// <summary>The body is no longer kept.</summary>
    public bool IsGone { get; init; }
}
