namespace Im.Model;

/// <summary>A message that the host sends as a user or as a system sender.</summary>
public sealed record OutgoingMessage
{
    /// <summary>A user's id, or a system sender's name, which begins with <c>$</c>, for example <c>$orders</c>.</summary>
    public required string SenderId { get; init; }

    /// <summary>The conversation; leave it out to send to <see cref="ToUserId"/>.</summary>
    public string? ConversationId { get; init; }

    /// <summary>The user; the message goes into the direct conversation of sender and user.</summary>
    public string? ToUserId { get; init; }

    /// <summary>What it says.</summary>
    public required MessageContent Content { get; init; }

    /// <summary>
    /// Unique for the sender for ever, 1–64 bytes; sending again under the same id stores nothing twice. Null = a random one: then a retry of the
    /// host is another message.
    /// </summary>
    public string? ClientMessageId { get; init; }

    /// <summary>Deliver to who is online now and store nothing.</summary>
    public bool NonPersistent { get; init; }
}
