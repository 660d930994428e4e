using System.Data;
using Im.ClusterTests.Cluster;
using MySql.Data.MySqlClient;

namespace Im.ClusterTests.Faults;

/// <summary>Who drains the queue of sends, and killing it in the middle.</summary>
internal sealed class QueueDrain(TestCluster cluster)
{
    private const string Taken = "This node drains the queue of sends.";
    private const string Ended = "This node does not drain the queue of sends any more.";

    // Where the log of a node's present life begins.
    private readonly Dictionary<NodeProcess, int> _began = [];

    public Task<long> CountRowsAsync() => cluster.QueryAsync("SELECT COUNT(*) FROM im_queued_sends");

    /// <summary>Waits until so many rows have left the queue; then kills who drains it.</summary>
    public async Task<NodeProcess> KillAfterAsync(long rows)
    {
        var start = await CountRowsAsync();
        var drainer = await WhenDrainingAsync();
        await Wait.UntilAsync(async () => await CountRowsAsync() is var left && left <= start - rows ? null : $"{left} of {start} rows are in the queue.");
        await KillAsync(drainer);
        return drainer;
    }

    /// <summary>Locks the rows, waits until some are stored but cannot be removed, and kills who drains the queue; its removal never happens.</summary>
    public async Task<NodeProcess> KillBeforeRemovalAsync()
    {
        var drainer = await WhenDrainingAsync();
        await using var connection = await TestCluster.OpenAsync(cluster.ConnectionString);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted);
        await using var command = connection.CreateCommand();
        command.Transaction = (MySqlTransaction)transaction;

        // In the order in which they are removed, and by the same index: another order is a deadlock.
        command.CommandText = "SELECT id FROM im_queued_sends FORCE INDEX (PRIMARY) ORDER BY id FOR UPDATE";
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                // Locked when they are read.
            }
        }

        await Wait.UntilAsync(
            async () => await cluster.QueryAsync("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DELETE FROM im_queued_sends%' AND TIME_MS > 50") > 0
                ? null
                : "Nothing is to be removed.");
        await KillAsync(drainer);
        await transaction.RollbackAsync();
        return drainer;
    }

    /// <summary>Waits until this node drains the queue, or has.</summary>
    public Task WhenTakenOverAsync(NodeProcess node) => Wait.UntilAsync(
        () => node.Log.AsSpan(_began.GetValueOrDefault(node)).LastIndexOf(Taken) >= 0, $"{node.Name} does not go on with the queue.");

    private async Task KillAsync(NodeProcess node)
    {
        await node.KillAsync();
        _began[node] = node.Log.Length;
    }

    private async Task<NodeProcess> WhenDrainingAsync()
    {
        NodeProcess? drainer = null;
        await Wait.UntilAsync(() => (drainer = cluster.Nodes.Find(IsDraining)) is not null, "Nobody drains the queue.");
        return drainer!;
    }

    private bool IsDraining(NodeProcess node)
    {
        var log = node.Log.AsSpan(_began.GetValueOrDefault(node));
        return log.LastIndexOf(Taken) > log.LastIndexOf(Ended);
    }
}
