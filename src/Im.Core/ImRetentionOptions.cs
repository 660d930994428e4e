using System.ComponentModel.DataAnnotations;

namespace Im;

/// <summary>What is kept for how long, and how gently the rest is deleted. Validated at start, all errors at once.</summary>
/// <remarks>
/// Limits of time and of count are both applied. Seqs, unread counts and conversation lists stay; the newest entry of a conversation is always kept. A device
/// that was away for longer than its inbox is kept starts anew with a snapshot.
/// </remarks>
public sealed class ImRetentionOptions
{
    /// <summary>Entries of conversations that are older are deleted.</summary>
    /// <value>Default: none, messages are kept for ever.</value>
    [TimeSpanRange("00:00:01", "36500.00:00:00")]
    public TimeSpan? KeepMessagesFor { get; set; }

    /// <summary>So many of the newest entries of each conversation are kept.</summary>
    /// <value>Default: none, all are kept.</value>
    [Range(1, int.MaxValue)]
    public int? KeepMessagesPerConversation { get; set; }

    /// <summary>Inbox entries, the way in which devices get messages after having been away, that are older are deleted, in whole chunks.</summary>
    /// <value>Default: none, they are kept as long as messages (<see cref="KeepMessagesFor"/>); never longer than those.</value>
    [TimeSpanRange("00:00:01", "36500.00:00:00")]
    public TimeSpan? KeepInboxesFor { get; set; }

    /// <summary>At least so many of the newest entries of each inbox are kept.</summary>
    /// <value>Default: none, all are kept.</value>
    [Range(1, int.MaxValue)]
    public int? KeepEntriesPerInbox { get; set; }

    /// <summary>How long the ids of sends are remembered. A message that is sent again under its id after that is stored again.</summary>
    /// <value>Default: 604,800 seconds (7 days); null = for ever.</value>
    [TimeSpanRange("00:00:01", "36500.00:00:00")]
    public TimeSpan? KeepSentIdsFor { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How long the rows of the commit log are kept.</summary>
    /// <value>Default: 604,800 seconds (7 days); null = for ever.</value>
    [TimeSpanRange("00:00:01", "36500.00:00:00")]
    public TimeSpan? KeepCommitsFor { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Small inbox chunks that are older are merged with their neighbours.</summary>
    /// <value>Default: 3,600 seconds (1 hour); null = never.</value>
    [TimeSpanRange("00:00:01", "36500.00:00:00")]
    public TimeSpan? MergeChunksAfter { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How often a pass over everything begins, more or less: each node waits a little shorter or longer.</summary>
    /// <value>Default: 3,600 seconds (1 hour).</value>
    [TimeSpanRange("00:00:00.100", "30.00:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How many rows one transaction looks at or deletes.</summary>
    /// <value>Default: 500.</value>
    [Range(1, 100_000)]
    public int MaxRowsPerBite { get; set; } = 500;

    /// <summary>How long commits have the store for themselves between two such transactions.</summary>
    /// <value>Default: 50 ms.</value>
    [TimeSpanRange("00:00:00", "00:10:00")]
    public TimeSpan PauseBetweenBites { get; set; } = TimeSpan.FromMilliseconds(50);
}
