namespace Im.Cluster;

/// <summary>What several servers in one process share when they are one cluster, as in tests: the directory's and the backplane's state.</summary>
/// <remarks>Thread-safe. Pass the same object to <c>UseInMemoryCluster</c> of each server. One that is not shared is a cluster of one node.</remarks>
public sealed class InMemoryCluster(TimeProvider? time = null)
{
    internal TimeProvider Time { get; } = time ?? TimeProvider.System;

    // Guards everything below; held for a few steps only.
    internal Lock Lock { get; } = new();

    internal Dictionary<string, InMemoryLease> Leases { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, InMemoryUser> Users { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, List<InMemoryBackplane>> Receivers { get; } = new(StringComparer.Ordinal);

    internal (string Reaper, DateTimeOffset Until) ReaperLock { get; set; } = ("", DateTimeOffset.MinValue);

    internal long LastEpoch { get; set; }

    internal long LastTicket { get; set; }

    internal DateTimeOffset Now => Time.GetUtcNow();
}

/// <summary>A node's lease; one that has run out stays until a reaper has removed what the node left.</summary>
internal sealed class InMemoryLease(LiveNode node)
{
    public LiveNode Node { get; } = node;

    public DateTimeOffset Until { get; set; }
}

/// <summary>A user's sessions, one a device.</summary>
internal sealed class InMemoryUser
{
    public List<DirectorySession> Sessions { get; } = [];

    public long LastSeenMs { get; set; }
}
