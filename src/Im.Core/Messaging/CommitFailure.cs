using Im.Storage;

namespace Im.Messaging;

/// <summary>What a failed commit means for its senders. Clients are told no more than what to do; the log has the reason.</summary>
/// <param name="Name">The value of the metric's tag.</param>
/// <param name="Code">What the senders get.</param>
/// <param name="Message">A sentence for people.</param>
/// <param name="MaySplit">The batch, not the store, may be what is wrong.</param>
/// <param name="MayBeStored">Something of it may be committed all the same.</param>
internal sealed record CommitFailure(string Name, ImErrorCode Code, string Message, bool MaySplit = false, bool MayBeStored = false)
{
    public static readonly CommitFailure ShuttingDown = new(
        "shutting_down", ImErrorCode.ShuttingDown, "The server is shutting down; reconnect and send again.");

    public static readonly CommitFailure Unavailable = new(
        "unavailable", ImErrorCode.StorageUnavailable, "The message could not be stored now; send it again with the same clientMessageId.");

    /// <summary>The answer to one item that the store refuses while it takes others.</summary>
    public static readonly CommitFailure Refused = new(
        "refused", ImErrorCode.StorageRefused, "The store cannot take this message; it was not stored, and sending it again does not help.");

    public static CommitFailure Of(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        OperationCanceledException when cancellationToken.IsCancellationRequested => ShuttingDown,
        ImStorageException { Failure: ImStorageFailure.Refused } => Unavailable with { Name = "refused", MaySplit = true },
        ImStorageException { Failure: ImStorageFailure.Full } => Unavailable with { Name = "full" },
        ImStorageException { Failure: ImStorageFailure.ReadOnly } => Unavailable with { Name = "read_only" },
        ImStorageException { Failure: ImStorageFailure.OutcomeUnknown } => new(
            "outcome_unknown",
            ImErrorCode.StorageUnavailable,
            "Whether the message was stored is not known; send it again with the same clientMessageId, then it is stored once.",
            MayBeStored: true),
        ImStorageException => Unavailable,

        // No store throws anything else. Whatever it is, it may be about one item, and appending again is safe: ids are claimed once.
        _ => Unavailable with { Name = "unexpected", MaySplit = true, MayBeStored = true },
    };
}
