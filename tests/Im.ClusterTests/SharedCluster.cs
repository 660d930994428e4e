using Im.ClusterTests.Cluster;

namespace Im.ClusterTests;

/// <summary>Two nodes with clocks ten minutes apart, for tests that leave them as they were.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    private TestCluster? _cluster;
    private int _users;

    internal TestCluster Cluster => _cluster!;

    internal NodeProcess One => Cluster.Nodes[0];

    internal NodeProcess Two => Cluster.Nodes[1];

    /// <summary>A user whom no other test knows.</summary>
    internal string NewUser(string name) => $"{name}{Interlocked.Increment(ref _users)}";

    public async Task InitializeAsync() =>
        _cluster = await TestCluster.StartAsync(2, i =>
        [
            "--clock", i == 0 ? "-00:05:00" : "00:05:00",

            // A queue of sends that is soon there, drained slowly, and taken over early.
            "--Im:QueueSendsAbove", "10", "--Im:MaxQueuedSendsPerCommit", "10", "--Im:SendQueueLease", "00:00:01.5",
            "--Logging:LogLevel:Im.Messaging.Queue.DrainLease", "Debug",
        ]);

    public async Task DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }
}
