namespace Im.Administration;

/// <summary>What goes on in one node.</summary>
public sealed record AdminNodeStatus
{
    /// <summary>The node.</summary>
    public required string Node { get; init; }

    /// <summary>The version of the packages.</summary>
    public required string Version { get; init; }

    /// <summary>Its epoch; 0 = it has not joined.</summary>
    public required long Epoch { get; init; }

    /// <summary>Its clock.</summary>
    public required long TimeMs { get; init; }

    /// <summary>How long it has been running.</summary>
    public required long UptimeMs { get; init; }

    /// <summary>How well it is.</summary>
    public required AdminHealth Health { get; init; }

    /// <summary>For people: what its health check says.</summary>
    public required string HealthText { get; init; }

    /// <summary>Whether it is shutting down.</summary>
    public required bool IsDraining { get; init; }

    /// <summary>Open connections.</summary>
    public required int Connections { get; init; }

    /// <summary>Signed-in devices.</summary>
    public required int Sessions { get; init; }

    /// <summary>Users with a session on it.</summary>
    public required int Users { get; init; }

    /// <summary>What goes through it.</summary>
    public required AdminRates Rates { get; init; }

    /// <summary>What waits in it.</summary>
    public required AdminQueues Queues { get; init; }

    /// <summary>Its store.</summary>
    public required AdminStore Store { get; init; }

    /// <summary>How it reaches the others.</summary>
    public required AdminCluster Cluster { get; init; }

    /// <summary>Its process.</summary>
    public required AdminProcess Process { get; init; }
}

/// <summary>What goes through a node.</summary>
/// <param name="SendsPerSecond">Messages that were stored or relayed, on average over the last seconds.</param>
/// <param name="DeliveriesPerSecond">Entries that were handed to sessions, on average over the last seconds.</param>
/// <param name="TotalSends">Messages since the start.</param>
/// <param name="TotalDeliveries">Entries handed to sessions since the start.</param>
/// <param name="History">The last minute, oldest first.</param>
public sealed record AdminRates(
    double SendsPerSecond, double DeliveriesPerSecond, long TotalSends, long TotalDeliveries, IReadOnlyList<AdminRateSample> History);

/// <summary>The rates of about a second.</summary>
/// <param name="TimeMs">Its end.</param>
/// <param name="SendsPerSecond">Messages a second.</param>
/// <param name="DeliveriesPerSecond">Entries handed to sessions a second.</param>
public sealed record AdminRateSample(long TimeMs, double SendsPerSecond, double DeliveriesPerSecond);

/// <summary>What waits in a node.</summary>
/// <param name="Commits">Messages that wait for a commit.</param>
/// <param name="MaxCommits">How many may wait before senders do.</param>
/// <param name="ToOtherNodes">What is to be told to other nodes.</param>
/// <param name="AfterCommit">Batches that interceptors and offline notifiers are still to be told of.</param>
/// <param name="CatchUps">Sessions that wait for their turn to read from the store.</param>
/// <param name="QueuedSends">Sends of the host that are kept in the store's queue, of all nodes, when this one last looked.</param>
public sealed record AdminQueues(int Commits, int MaxCommits, int ToOtherNodes, int AfterCommit, int CatchUps, long QueuedSends);

/// <summary>The store as a node sees it.</summary>
/// <param name="Name">Which store.</param>
/// <param name="IsHealthy">Whether the last commit or probe succeeded.</param>
/// <param name="Failure">Why not; empty = it did.</param>
/// <param name="FailingSinceMs">Since when; 0 = it is healthy.</param>
/// <param name="SinceSuccessMs">How long ago it last took a write.</param>
public sealed record AdminStore(string Name, bool IsHealthy, string Failure, long FailingSinceMs, long SinceSuccessMs);

/// <summary>How a node reaches the others.</summary>
/// <param name="Nodes">The names of those that it knows to live, itself included.</param>
/// <param name="DirectoryFailure">Why the session directory could not be reached; empty = it was.</param>
/// <param name="IsBackplaneHealthy">Whether it hears its own probes.</param>
/// <param name="SinceProbeMs">How long ago it heard the last one.</param>
/// <param name="IsRejoining">Whether it lost its lease and is registering its sessions again.</param>
public sealed record AdminCluster(
    IReadOnlyList<string> Nodes, string DirectoryFailure, bool IsBackplaneHealthy, long SinceProbeMs, bool IsRejoining);

/// <summary>A node's process.</summary>
/// <param name="ProcessId">Its id.</param>
/// <param name="Processors">How many it may use.</param>
/// <param name="CpuMs">Processor time that it has used.</param>
/// <param name="WorkingSetBytes">Its memory as the system counts it.</param>
/// <param name="HeapBytes">What is in use on the heap.</param>
/// <param name="AllocatedBytes">What was ever allocated.</param>
/// <param name="Gen0">Collections of generation 0.</param>
/// <param name="Gen1">Collections of generation 1.</param>
/// <param name="Gen2">Collections of generation 2.</param>
/// <param name="GcPauseMs">How long collections have stopped it, in all.</param>
/// <param name="GcPausePercent">Which part of its time that was, as the runtime reports it.</param>
/// <param name="Threads">Threads of the pool.</param>
/// <param name="PendingWork">What waits for a thread of the pool.</param>
public sealed record AdminProcess(
    int ProcessId,
    int Processors,
    long CpuMs,
    long WorkingSetBytes,
    long HeapBytes,
    long AllocatedBytes,
    int Gen0,
    int Gen1,
    int Gen2,
    double GcPauseMs,
    double GcPausePercent,
    int Threads,
    long PendingWork);
