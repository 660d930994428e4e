namespace Im.Model;

/// <summary>A message of old history.</summary>
public sealed record ImportedMessage
{
    /// <summary>Who sent it: a member or former member of the conversation, or a system sender.</summary>
    public required string SenderId { get; init; }

    /// <summary>Unique for the sender for ever, 1–64 bytes: what the old system called it.</summary>
    public required string ClientMessageId { get; init; }

    /// <summary>When it was sent, unix milliseconds UTC; not in the future.</summary>
    public required long TimeMs { get; init; }

    /// <summary>What it says.</summary>
    public required MessageContent Content { get; init; }
}
