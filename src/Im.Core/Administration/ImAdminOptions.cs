using System.ComponentModel.DataAnnotations;

namespace Im.Administration;

/// <summary>Limits of the admin operations; each has a default.</summary>
public sealed class ImAdminOptions
{
    /// <summary>How many items a page has at most.</summary>
    /// <value>Default: 500.</value>
    [Range(1, 10_000)]
    public int MaxPageItems { get; set; } = 500;

    /// <summary>
    /// How many messages with what the offline notifiers made of them a node remembers, for the question why somebody was not told. Zero: none.
    /// </summary>
    /// <value>Default: 2,000.</value>
    [Range(0, 1_000_000)]
    public int KeptNotices { get; set; } = 2000;

    /// <summary>How many recipients those messages may have together, so that large groups do not fill the memory; the oldest messages go first.</summary>
    /// <value>Default: 200,000.</value>
    [Range(0, 100_000_000)]
    public int KeptNoticeRecipients { get; set; } = 200_000;

    /// <summary>How many messages one call may send over HTTP, a message to several users counted for each.</summary>
    /// <value>Default: 1,000.</value>
    [Range(1, 100_000)]
    public int MaxMessagesPerCall { get; set; } = 1000;

    /// <summary>The largest body of a call over HTTP, in bytes.</summary>
    /// <value>Default: 1 MiB.</value>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 1024 * 1024;
}
