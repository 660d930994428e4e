using Im.ClusterTests.Cluster;

namespace Im.ClusterTests.Faults;

/// <summary>Freezes a node while one of its connections is inside a transaction that holds row locks.</summary>
internal static class OpenTransactions
{
    private const int MaxTries = 100;

    /// <summary>Tries for a while; a node that writes too little is frozen all the same.</summary>
    /// <returns>Whether a transaction was open.</returns>
    public static async Task<bool> FreezeInOneAsync(TestCluster cluster, NodeProcess node)
    {
        for (var i = 0; ; i++)
        {
            node.Freeze();
            var ports = SocketsOf(node.ProcessId);
            var held = ports.Count == 0
                ? 0
                : await cluster.QueryAsync($"""
                    SELECT COUNT(*) FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
                    WHERE t.trx_rows_locked > 0 AND p.COMMAND = 'Sleep' AND SUBSTRING_INDEX(p.HOST, ':', -1) IN ({string.Join(',', ports)})
                    """);
            if (held > 0 || i == MaxTries)
            {
                return held > 0;
            }

            node.Thaw();
            await Task.Delay(7);
        }
    }

    // The local ports of a process's TCP connections, from /proc.
    private static List<int> SocketsOf(int processId)
    {
        var inodes = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles($"/proc/{processId}/fd"))
        {
            if (File.ResolveLinkTarget(file, returnFinalTarget: false)?.Name is { } target && target.StartsWith("socket:[", StringComparison.Ordinal))
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
