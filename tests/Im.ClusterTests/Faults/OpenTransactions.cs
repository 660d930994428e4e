using Im.ClusterTests.Cluster;
using MySql.Data.MySqlClient;

namespace Im.ClusterTests.Faults;

/// <summary>Freezes a node inside a transaction that holds row locks.</summary>
internal static class OpenTransactions
{
    private const int MaxPolls = 40;

    /// <summary>
    /// Locks all conversations until the node's append waits for one of them, freezes the node, and lets go: the database then gives the lock to the
    /// node's statement, and nobody ends the transaction. A node that appends nothing meanwhile is frozen all the same.
    /// </summary>
    /// <returns>Whether the node has a transaction open that holds locks.</returns>
    public static async Task<bool> FreezeInOneAsync(TestCluster cluster, NodeProcess node)
    {
        await using (var connection = await TestCluster.OpenAsync(cluster.ConnectionString))
        {
            await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted);
            await using var command = connection.CreateCommand();
            command.Transaction = (MySqlTransaction)transaction;
            command.CommandText = "SELECT head FROM im_conversations FOR UPDATE";
            await using (var reader = await command.ExecuteReaderAsync())
            {
                while (await reader.ReadAsync())
                {
                    // Locked when they are read.
                }
            }

            for (var i = 0; i < MaxPolls && await CountAsync(cluster, node, "t.trx_state = 'LOCK WAIT'") == 0; i++)
            {
                await Task.Delay(25);
            }

            node.Freeze();
            await transaction.RollbackAsync();
        }

        // The server answers the frozen client's statement; what INNODB_TRX shows is up to 0.1 s old.
        await Task.Delay(150);
        return await CountAsync(cluster, node, "t.trx_state = 'RUNNING' AND t.trx_rows_locked > 0") > 0;
    }

    private static Task<long> CountAsync(TestCluster cluster, NodeProcess node, string condition) => cluster.QueryAsync($"""
        SELECT COUNT(*) FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
        WHERE {condition} AND SUBSTRING_INDEX(p.HOST, ':', -1) IN (0{string.Concat(PortsOf(node.ProcessId).Select(port => $",{port}"))})
        """);

    // The local ports of a process's TCP connections, from /proc; lanes connect when they are first used.
    private static List<int> PortsOf(int processId)
    {
        var inodes = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles($"/proc/{processId}/fd"))
        {
            if (new FileInfo(file).LinkTarget is { } target && target.StartsWith("socket:[", StringComparison.Ordinal))
            {
                inodes.Add(target[8..^1]);
            }
        }

        var ports = new List<int>();
        foreach (var table in new[] { "tcp", "tcp6" })
        {
            foreach (var line in File.ReadLines($"/proc/{processId}/net/{table}").Skip(1))
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (inodes.Contains(words[9]))
                {
                    ports.Add(Convert.ToInt32(words[1].Split(':')[1], 16));
                }
            }
        }

        return ports;
    }
}
