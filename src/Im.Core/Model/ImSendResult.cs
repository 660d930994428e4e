using Im.Protocol;
using Im.Timelines;

namespace Im.Model;

/// <summary>What became of a message.</summary>
public enum ImSendOutcome
{
    /// <summary>Stored and on its way.</summary>
    Stored,

    /// <summary>The same message was stored before; the result is the original one.</summary>
    Duplicate,

    /// <summary>Refused; see the code.</summary>
    Rejected,

    /// <summary>Not persistent: handed to who is online.</summary>
    Relayed,

    /// <summary>
    /// Kept in the store's queue, since too many messages wait for a commit: it is stored and delivered later, once, in order; see
    /// <c>ImServerOptions.QueueSendsAbove</c>. Only for sends of the host.
    /// </summary>
    Queued,
}

/// <summary>What became of a message.</summary>
public sealed record ImSendResult
{
    /// <summary>What became of it.</summary>
    public required ImSendOutcome Outcome { get; init; }

    /// <summary>The sender's id for it.</summary>
    public required string ClientMessageId { get; init; }

    /// <summary>Where it stands.</summary>
    public string ConversationId { get; init; } = "";

    /// <summary>Its seq there; 0 unless stored.</summary>
    public ConversationSeq Seq { get; init; }

    /// <summary>Server time, unix milliseconds UTC.</summary>
    public long TimeMs { get; init; }

    /// <summary>Why it was refused; <see cref="ImErrorCode.None"/> otherwise.</summary>
    public ImErrorCode Code { get; init; }

    /// <summary>For people: what was wrong and what to do.</summary>
    public string Message { get; init; } = "";

    /// <summary>Throws <see cref="ImException"/> if the message was refused; otherwise returns this result.</summary>
    public ImSendResult EnsureAccepted() => Outcome == ImSendOutcome.Rejected ? throw new ImException(Code, Message) : this;
}
