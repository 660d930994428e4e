namespace Im.Cluster;

/// <summary>What several servers in one process share when they are one cluster, as in tests: the directory's and the backplane's state.</summary>
/// <remarks>Thread-safe. Pass the same object to <c>UseInMemoryCluster</c> of each server. One that is not shared is a cluster of one node.</remarks>
public sealed class InMemoryCluster(TimeProvider? time = null)
{
    internal TimeProvider Time { get; } = time ?? TimeProvider.System;

    /// <summary>For how long it is known when a user was last seen: as long as in Redis by default.</summary>
    internal static readonly TimeSpan KeepLastSeenFor = TimeSpan.FromDays(30);

    private const int FirstSweep = 1_000;

    private int _sweepAt = FirstSweep;

    // Guards everything below; held for a few steps only, but for the seldom sweep.
    internal Lock Lock { get; } = new();

    internal Dictionary<string, InMemoryLease> Leases { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, InMemoryUser> Users { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, List<InMemoryBackplane>> Receivers { get; } = new(StringComparer.Ordinal);

    internal (string Reaper, DateTimeOffset Until) ReaperLock { get; set; } = ("", DateTimeOffset.MinValue);

    internal long LastEpoch { get; set; }

    internal long LastTicket { get; set; }

    internal DateTimeOffset Now => Time.GetUtcNow();

    // Under the lock. Looks at all users each time that they have doubled, so that one who goes offline pays for a few.
    internal void ForgetOld()
    {
        if (Users.Count < _sweepAt)
        {
            return;
        }

        var oldest = (Now - KeepLastSeenFor).ToUnixTimeMilliseconds();
        foreach (var (userId, user) in Users)
        {
            if (user.Sessions.Count == 0 && user.LastSeenMs < oldest)
            {
                Users.Remove(userId);
            }
        }

        _sweepAt = Math.Max(FirstSweep, Users.Count * 2);
    }
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
