using System.ComponentModel.DataAnnotations;

namespace Im;

/// <summary>Limits and intervals of the server; each has a default. Validated at start, all errors at once.</summary>
public sealed class ImServerOptions
{
    /// <summary>The unique name of this node: a second live node of the same name is an error.</summary>
    /// <value>Default: the machine's name.</value>
    [Required]
    [StringLength(64, MinimumLength = 1)]
    public string NodeName { get; set; } = Environment.MachineName;

    /// <summary>The largest packet accepted before sign-in, in bytes. It must hold a token and the cursors of a device.</summary>
    /// <value>Default: 32 KiB.</value>
    [Range(256, 16 * 1024 * 1024)]
    public int MaxFrameBytesBeforeSignIn { get; set; } = 32 * 1024;

    /// <summary>The largest packet accepted after sign-in, in bytes.</summary>
    /// <value>Default: 128 KiB.</value>
    [Range(256, 64 * 1024 * 1024)]
    public int MaxFrameBytes { get; set; } = 128 * 1024;

    /// <summary>The largest content of a message, text and data and mentions together, in bytes.</summary>
    /// <value>Default: 64 KiB.</value>
    [Range(1, 64 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 64 * 1024;

    /// <summary>How many messages a session may send a second, on average; as many again may come in one burst.</summary>
    /// <value>Default: 100.</value>
    [Range(1, 1_000_000)]
    public int MaxSendsPerSecond { get; set; } = 100;

    /// <summary>How many sends of one session may wait for their ack; above it the connection is not read.</summary>
    /// <value>Default: 256.</value>
    [Range(1, 100_000)]
    public int MaxInFlightSends { get; set; } = 256;

    /// <summary>How many connections the node accepts in all.</summary>
    /// <value>Default: 100,000.</value>
    [Range(1, 10_000_000)]
    public int MaxConnections { get; set; } = 100_000;

    /// <summary>How many connections the node accepts from one address. Behind a proxy, use the forwarded-headers middleware.</summary>
    /// <value>Default: 10,000.</value>
    [Range(1, 10_000_000)]
    public int MaxConnectionsPerAddress { get; set; } = 10_000;

    /// <summary>How many sessions, that is devices at once, a user may have on the node.</summary>
    /// <value>Default: 50.</value>
    [Range(1, 100_000)]
    public int MaxSessionsPerUser { get; set; } = 50;

    /// <summary>How long a connection may take until it has signed in.</summary>
    /// <value>Default: 10 seconds.</value>
    [TimeSpanRange("00:00:00.100", "00:10:00")]
    public TimeSpan SignInTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A connection on which nothing arrives for this long is closed. Only what the client sends counts.</summary>
    /// <value>Default: 90 seconds.</value>
    [TimeSpanRange("00:00:01", "24:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(90);

    /// <summary>How often the one heartbeat walks over all connections.</summary>
    /// <value>Default: 1 second.</value>
    [TimeSpanRange("00:00:00.010", "00:01:00")]
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How many bytes may be queued for one session. Above it pushes are left to be read from the store later and the connection is not read,
    /// since replies are never dropped.
    /// </summary>
    /// <value>Default: 1 MiB.</value>
    [Range(1024, 1024 * 1024 * 1024)]
    public int MaxQueueBytes { get; set; } = 1024 * 1024;

    /// <summary>How long replies may stay over <see cref="MaxQueueBytes"/> before the connection is closed as slow.</summary>
    /// <value>Default: 30 seconds.</value>
    [TimeSpanRange("00:00:01", "01:00:00")]
    public TimeSpan SlowTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How many messages one commit takes at most.</summary>
    /// <value>Default: 1,000.</value>
    [Range(1, 100_000)]
    public int MaxBatchMessages { get; set; } = 1000;

    /// <summary>How many inboxes one commit touches at most, so that a big fan-out does not stand in front of a one-to-one message.</summary>
    /// <value>Default: 10,000. A single message to more is a commit of its own.</value>
    [Range(1, 1_000_000)]
    public int MaxBatchInboxes { get; set; } = 10_000;

    /// <summary>How many bytes of bodies one commit takes at most; it also bounds one push.</summary>
    /// <value>Default: 512 KiB. A single larger message is a commit of its own.</value>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxBatchBytes { get; set; } = 512 * 1024;

    /// <summary>How many messages may wait for a commit in all; above it senders wait.</summary>
    /// <value>Default: 20,000.</value>
    [Range(1, 10_000_000)]
    public int MaxPendingMessages { get; set; } = 20_000;

    /// <summary>Groups up to this size have fan-out on write; a group that grows above it switches to fan-out on read, and never back.</summary>
    /// <value>Default: 100.</value>
    [Range(0, 100_000)]
    public int MaxWriteFanoutMembers { get; set; } = 100;

    /// <summary>How many members a group may have.</summary>
    /// <value>Default: 200,000.</value>
    [Range(1, 1_000_000)]
    public int MaxGroupMembers { get; set; } = 200_000;

    /// <summary>
    /// How many members one change adds or removes, and one call too; a creation may name as many as a group may have, and makes as many changes as it
    /// needs.
    /// </summary>
    /// <value>Default: 1,000.</value>
    [Range(1, 100_000)]
    public int MaxMembersPerChange { get; set; } = 1000;

    /// <summary>
    /// How many members a group may have whose fan-out is pinned to write, and up to how many are told of a dissolution in one commit: a larger group
    /// is dissolved in several changes.
    /// </summary>
    /// <value>Default: 10,000.</value>
    [Range(1, 100_000)]
    public int MaxPinnedWriteFanoutMembers { get; set; } = 10_000;

    /// <summary>
    /// Up to how many members of a group with fan-out on read are kept in memory; of a larger group those who send are looked up, and so many of them
    /// remembered.
    /// </summary>
    /// <value>Default: 1,000.</value>
    [Range(1, 100_000)]
    public int MaxCachedGroupMembers { get; set; } = 1000;

    /// <summary>How many entries one page has at most.</summary>
    /// <value>Default: 500.</value>
    [Range(1, 10_000)]
    public int MaxPageEntries { get; set; } = 500;

    /// <summary>How many bytes of bodies one page has at most; a page has at least one entry.</summary>
    /// <value>Default: 256 KiB.</value>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxPageBytes { get; set; } = 256 * 1024;

    /// <summary>How many sessions read pages from the store at once.</summary>
    /// <value>Default: 4.</value>
    [Range(1, 256)]
    public int MaxConcurrentCatchUps { get; set; } = 4;

    /// <summary>
    /// How often the heads of all live sessions' timelines are compared with the store, to find what a lost delivery has missed. A commit whose
    /// outcome is unknown is looked into at once.
    /// </summary>
    /// <value>Default: 40 seconds.</value>
    [TimeSpanRange("00:00:00.100", "01:00:00")]
    public TimeSpan HeadCheckInterval { get; set; } = TimeSpan.FromSeconds(40);

    /// <summary>
    /// How many bytes of recent entries are kept encoded, to serve sessions that are a little behind without the store; and a quarter of that again for
    /// entries that were just read from the store, which others who come back at the same time read too.
    /// </summary>
    /// <value>Default: 64 MiB; 0 = none.</value>
    [Range(0, int.MaxValue)]
    public int RecentEntriesBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>How many conversations' members are kept in memory, and how many users are remembered to exist.</summary>
    /// <value>Default: 10,000.</value>
    [Range(1, 10_000_000)]
    public int MaxCachedConversations { get; set; } = 10_000;

    /// <summary>How long the interceptors together may take for one message before it is refused.</summary>
    /// <value>Default: 5 seconds.</value>
    [TimeSpanRange("00:00:00.010", "00:05:00")]
    public TimeSpan InterceptorTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>At shutdown, clients are told to reconnect after a random time up to this.</summary>
    /// <value>Default: 5 seconds.</value>
    [TimeSpanRange("00:00:00", "00:10:00")]
    public TimeSpan ReconnectSpread { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>At shutdown, how long commits and last packets may take before connections are cut.</summary>
    /// <value>Default: 10 seconds. Keep it below the host's own shutdown timeout.</value>
    [TimeSpanRange("00:00:00", "00:10:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Sends of the host's own code (<c>IImServer.Messages</c>) are queued in the store from when so many messages wait for a commit until the queue is
    /// empty again; their result is then <c>Queued</c>.
    /// </summary>
    /// <value>Default: 5,000; 0 = nothing is queued, and the host's sends wait as clients' do.</value>
    [Range(0, 10_000_000)]
    public int QueueSendsAbove { get; set; } = 5000;

    /// <summary>How many sends may be queued in the store, for all nodes on it; further ones are refused.</summary>
    /// <value>Default: 1,000,000.</value>
    [Range(1, 1_000_000_000)]
    public int MaxQueuedSends { get; set; } = 1_000_000;

    /// <summary>How many queued sends are committed at a time. They are taken only while they and what else waits fit into one commit (<see cref="MaxBatchMessages"/>).</summary>
    /// <value>Default: 20. More is faster, and interactive sends wait longer behind them.</value>
    [Range(1, 10_000)]
    public int MaxQueuedSendsPerCommit { get; set; } = 20;

    /// <summary>After how long without a sign of life of the node that drains the queue another one goes on.</summary>
    /// <value>Default: 15 seconds.</value>
    [TimeSpanRange("00:00:00.100", "00:10:00")]
    public TimeSpan SendQueueLease { get; set; } = TimeSpan.FromSeconds(15);
}
