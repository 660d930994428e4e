using Im.Timelines;

namespace Im.Storage;

/// <summary>What became of a batch.</summary>
public sealed class AppendResult
{
    /// <summary>False: a proposed head was stale and nothing was appended; <see cref="Heads"/> tells the true ones.</summary>
    public required bool Committed { get; init; }

    /// <summary>The heads after the call, in the order of the batch's timelines.</summary>
    public required ReadOnlyMemory<long> Heads { get; init; }

    /// <summary>Each item's result, in the batch's order; empty when not committed.</summary>
    public IReadOnlyList<AppendItemResult> Items { get; init; } = [];

    /// <summary>The conversations' runs that were appended, one or more for each conversation, in order.</summary>
    public IReadOnlyList<Run> Runs { get; init; } = [];

    /// <summary>The inbox chunks that were appended, grouped by class: every inbox stands in exactly one class.</summary>
    public IReadOnlyList<AppendedClass> Classes { get; init; } = [];
}

/// <summary>Users whose inboxes got the same runs from one batch.</summary>
/// <param name="Runs">The chunk's runs in inbox order.</param>
/// <param name="UserIds">The users.</param>
/// <param name="FirstSeqs">The seq of the chunk's first entry in each user's inbox, in the users' order.</param>
public sealed record AppendedClass(IReadOnlyList<Run> Runs, IReadOnlyList<string> UserIds, ReadOnlyMemory<long> FirstSeqs);

/// <summary>What became of one item.</summary>
public enum AppendOutcome
{
    /// <summary>Appended at the result's seq.</summary>
    Stored,

    /// <summary>The same message was appended before; the result is the original one.</summary>
    Duplicate,

    /// <summary>The client message id stands for another message. Nothing was appended.</summary>
    ClientIdReused,

    /// <summary>The conversation's membership version is another one than the item was validated against. Nothing was appended.</summary>
    StaleVersion,

    /// <summary>The change would have changed nothing. Nothing was appended.</summary>
    Unchanged,
}

/// <summary>What became of one item.</summary>
/// <param name="Outcome">Whether it was appended.</param>
/// <param name="ConversationId">Where it stands; for a duplicate where the original stands.</param>
/// <param name="Seq">Its seq in the conversation; for a duplicate the original's; for an unchanged read mark the mark.</param>
/// <param name="Ordinal">The conversation's ordinal at it; for a moved read mark the user's unread count after it.</param>
/// <param name="TimeMs">Its server time; for a duplicate the original's.</param>
/// <param name="Version">The conversation's membership version after the item.</param>
public readonly record struct AppendItemResult(
    AppendOutcome Outcome, string ConversationId, ConversationSeq Seq, long Ordinal, long TimeMs, long Version);
