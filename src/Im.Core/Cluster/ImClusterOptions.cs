using System.ComponentModel.DataAnnotations;

namespace Im.Cluster;

/// <summary>Intervals and limits of a node among others; each has a default. All nodes of a cluster should have the same.</summary>
public sealed class ImClusterOptions
{
    /// <summary>How long a node counts as living after it was last heard of. A node that is restarted after a crash waits for as long.</summary>
    /// <value>Default: 10 seconds.</value>
    [TimeSpanRange("00:00:01", "00:10:00")]
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a node renews its lease, and looks which others live. At most a third of <see cref="LeaseDuration"/>.</summary>
    /// <value>Default: 2 seconds.</value>
    [TimeSpanRange("00:00:00.100", "00:03:00")]
    public TimeSpan RenewInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How often a node sends a probe to all through the backplane. It hears its own too: when it has not for three intervals, its sessions' heads are
    /// compared with the store every <see cref="LostBackplaneCheckInterval"/>, and its health is degraded.
    /// </summary>
    /// <value>Default: 1 second.</value>
    [TimeSpanRange("00:00:00.050", "00:01:00")]
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How often heads are compared with the store while the backplane's probe fails.</summary>
    /// <value>Default: 1 second.</value>
    [TimeSpanRange("00:00:00.100", "00:01:00")]
    public TimeSpan LostBackplaneCheckInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a chunk that arrives before the one in front of it waits, before the session reads both from the store.</summary>
    /// <value>Default: 50 ms.</value>
    [TimeSpanRange("00:00:00", "00:00:01")]
    public TimeSpan EarlyChunkWait { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// How many messages may wait to be sent to other nodes, and as many to be handled that came from them. What is one too many is dropped: the other
    /// side notices by the numbers, and reads from the store.
    /// </summary>
    /// <value>Default: 10,000.</value>
    [Range(16, 1_000_000)]
    public int MaxQueuedMessages { get; set; } = 10_000;

    /// <summary>How long a question to another node may take.</summary>
    /// <value>Default: 3 seconds.</value>
    [TimeSpanRange("00:00:00.100", "00:01:00")]
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(3);

    // For so long nodes that do not live any more are remembered by name: longer than one that lost its lease needs to come back. One that comes back
    // later costs a head check.
    internal TimeSpan KeepGoneNodes => 10 * LeaseDuration;
}
