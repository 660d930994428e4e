using System.ComponentModel.DataAnnotations;

namespace Im;

/// <summary>Limits and intervals of presence and signals; each has a default. Validated at start, all errors at once.</summary>
public sealed class ImPresenceOptions
{
    /// <summary>
    /// How long a user, or a type of device, that is gone still shows to subscribers, so that nobody is told of a device that only reconnects. The
    /// host's listeners are told at once.
    /// </summary>
    /// <value>Default: 5 seconds.</value>
    [TimeSpanRange("00:00:00", "00:10:00")]
    public TimeSpan OfflineGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a connection is told of changes at most; each time the newest state of each user that changed.</summary>
    /// <value>Default: 500 ms.</value>
    [TimeSpanRange("00:00:00.010", "00:01:00")]
    public TimeSpan NotifyInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often a node tells the others whose state changed on it: one message to all for each interval in which something did.</summary>
    /// <value>Default: 250 ms.</value>
    [TimeSpanRange("00:00:00.010", "00:01:00")]
    public TimeSpan PublishInterval { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How often the states of all users that somebody watches on the node are read again, to find what lost messages would have told.</summary>
    /// <value>Default: 30 seconds.</value>
    [TimeSpanRange("00:00:01", "01:00:00")]
    public TimeSpan CheckInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How many users one connection may watch, members of conversations that it watches included.</summary>
    /// <value>Default: 1,000.</value>
    [Range(1, 100_000)]
    public int MaxUsersPerConnection { get; set; } = 1000;

    /// <summary>Of a conversation with more members than this, a subscription shows only members who are online, as many as this.</summary>
    /// <value>Default: 500.</value>
    [Range(1, 10_000)]
    public int MaxConversationMembers { get; set; } = 500;

    /// <summary>How many events may wait for the host's listeners; where they are slower, the oldest are dropped and counted.</summary>
    /// <value>Default: 10,000.</value>
    [Range(1, 10_000_000)]
    public int MaxQueuedEvents { get; set; } = 10_000;

    /// <summary>How many signals a connection may send to one conversation or room within <see cref="SignalWindow"/>; what is too many is dropped.</summary>
    /// <value>Default: 3.</value>
    [Range(1, 10_000)]
    public int MaxSignalsPerWindow { get; set; } = 3;

    /// <summary>The time in which <see cref="MaxSignalsPerWindow"/> counts.</summary>
    /// <value>Default: 3 seconds.</value>
    [TimeSpanRange("00:00:00.100", "01:00:00")]
    public TimeSpan SignalWindow { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How many conversations and rooms a connection may send signals to within <see cref="SignalWindow"/>.</summary>
    /// <value>Default: 20.</value>
    [Range(1, 10_000)]
    public int MaxSignalTargets { get; set; } = 20;

    /// <summary>Clients' signals to groups with more members than this are dropped.</summary>
    /// <value>Default: 500.</value>
    [Range(0, 1_000_000)]
    public int MaxSignalMembers { get; set; } = 500;

    /// <summary>How many signals to everybody may wait on a node; what is too many is dropped and counted.</summary>
    /// <value>Default: 64.</value>
    [Range(1, 100_000)]
    public int MaxQueuedBroadcasts { get; set; } = 64;
}
