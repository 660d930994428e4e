using Im.Protocol;

namespace Im.Client;

/// <summary>A message to be sent.</summary>
public sealed record ImMessage
{
    /// <summary>Where it goes.</summary>
    public required ImTarget Target { get; init; }

    /// <summary>What it says. The client copies it when the send is called.</summary>
    public required Content Content { get; init; }

    /// <summary>
    /// Unique for the sender for ever, 1 to 64 bytes. An application that keeps its own outbox stores the id with the message and uses the same
    /// one again after a restart: the server stores the message once and answers with the original ack.
    /// </summary>
    /// <value>Null: a random one of 128 bits.</value>
    public string? ClientMessageId { get; init; }

    /// <summary>Deliver to who is online now, store nothing, promise nothing. Such a message is never resent.</summary>
    public bool NonPersistent { get; init; }
}
