using StackExchange.Redis;

namespace Im.Storage.Redis;

/// <summary>How the server uses Redis; each option has a default. Validated at start, all errors at once.</summary>
public sealed class ImRedisOptions
{
    /// <summary>
    /// What StackExchange.Redis connects to, such as <c>redis1:6379,password=…</c>. <c>UseRedis(configuration)</c> sets it. Not used where the host gives
    /// a multiplexer.
    /// </summary>
    /// <value>Default: none.</value>
    public string? Configuration { get; set; }

    /// <summary>
    /// All keys and channels begin with it: servers of one cluster have the same, other clusters and applications on the same Redis another one. No
    /// braces, spaces or control characters.
    /// </summary>
    /// <value>Default: <c>im</c>.</value>
    public string KeyPrefix { get; set; } = "im";

    /// <summary>How long one operation may take. After it the caller goes on without, and so do all others until a probe succeeds.</summary>
    /// <value>Default: 1 second.</value>
    public TimeSpan OperationTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a Redis that failed is asked whether it is back, and how often connecting is tried.</summary>
    /// <value>Default: 250 ms.</value>
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// After how long without any answer the connections are given up and new ones are made: a machine that lost its power ends none. Not done with a
    /// multiplexer of the host's.
    /// </summary>
    /// <value>Default: 10 seconds.</value>
    public TimeSpan ReconnectAfter { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>For how long Redis knows when a user was last seen.</summary>
    /// <value>Default: 2592000 seconds, 30 days.</value>
    public TimeSpan KeepLastSeenFor { get; set; } = TimeSpan.FromDays(30);

    /// <summary>For how long the heads of timelines stay that nobody writes to.</summary>
    /// <value>Default: 3600 seconds.</value>
    public TimeSpan KeepHeadsFor { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Heads kept in the node's own memory, in front of Redis.</summary>
    /// <value>Default: 100,000; about 10 MB.</value>
    public int MaxLocalHeads { get; set; } = 100_000;

    /// <summary>For how long no head is proposed for a timeline that several nodes write to: the store takes whatever head it finds, and nobody retries.</summary>
    /// <value>Default: 5 seconds.</value>
    public TimeSpan ContendedFor { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>For how long the members of a large group stay that nobody asks about.</summary>
    /// <value>Default: 3600 seconds.</value>
    public TimeSpan KeepMembersFor { get; set; } = TimeSpan.FromHours(1);

    /// <summary>After how long without a page a fill of a group's members is given up, and another node may begin.</summary>
    /// <value>Default: 10 seconds.</value>
    public TimeSpan FillTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>For how long at least a room that nobody publishes to keeps its epoch; its replay time where that is longer.</summary>
    /// <value>Default: 60 seconds.</value>
    public TimeSpan KeepRoomsFor { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Messages from other nodes that wait to be handled, and as many of rooms. What is one too many is dropped and counted; the numbers in the messages
    /// tell the receiver.
    /// </summary>
    /// <value>Default: 10,000.</value>
    public int MaxQueuedMessages { get; set; } = 10_000;

    /// <summary>
    /// How long a message waits for one that it has overtaken in the client library: newer ones than 1.2.6 hand over a channel's messages side by side.
    /// </summary>
    /// <value>Default: 50 ms.</value>
    public TimeSpan ReorderWait { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Makes the host's multiplexer; null = <see cref="Configuration"/> counts.</summary>
    internal Func<IServiceProvider, Task<IConnectionMultiplexer>>? Connect { get; set; }
}
