using Im.Model;
using Im.Timelines;

namespace Im.Storage;

/// <summary>One entry of a conversation, as the store keeps it.</summary>
public sealed record StoredEntry
{
    /// <summary>The conversation.</summary>
    public required string ConversationId { get; init; }

    /// <summary>Its seq there.</summary>
    public required ConversationSeq Seq { get; init; }

    /// <summary>How many unread-counting messages the conversation has up to and including it.</summary>
    public required long Ordinal { get; init; }

    /// <summary>Who sent it.</summary>
    public required string SenderId { get; init; }

    /// <summary>The device that sent it; empty for the host's own sends.</summary>
    public string SenderDeviceId { get; init; } = "";

    /// <summary>The sender's id for it.</summary>
    public required string ClientMessageId { get; init; }

    /// <summary>Server time, unix milliseconds UTC.</summary>
    public required long TimeMs { get; init; }

    /// <summary>What kind of entry it is.</summary>
    public required EntryKind Kind { get; init; }

    /// <summary>The body as it was appended; empty when gone.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The body is no longer kept (expired, recalled, erased).</summary>
    public bool IsGone { get; init; }

    /// <summary>An entry below its conversation's floor, of which nothing but its place is known.</summary>
    public static StoredEntry Forgotten(string conversationId, ConversationSeq seq) => new()
    {
        ConversationId = conversationId,
        Seq = seq,
        Ordinal = 0,
        SenderId = "",
        ClientMessageId = "",
        TimeMs = 0,
        Kind = EntryKind.Unknown,
        Body = default(ReadOnlyMemory<byte>),
        IsGone = true,
    };
}
