using System.Collections.Concurrent;
using System.Data.Common;
using Im.Storage.Relational;

namespace Im.Storage.MySql.Internal;

/// <summary>MySQL and MariaDB with InnoDB, through the host's data source.</summary>
internal sealed class MySqlDialect(DbDataSource dataSource, MySqlSettings settings) : SqlDialect
{
    // Marks of connections that were lost in the middle of a transaction. The server may not know yet and keep their locks.
    private readonly ConcurrentQueue<string> _lost = new();

    /// <summary>By which other nodes find this process's connections.</summary>
    public ConnectionMarks Marks { get; } = new();

    public override string Name => "mysql";

    public override bool LocksRows => true;

    public override string DeleteSome(string table, string keys, string where, string order, string limit) =>
        $"DELETE FROM {table} WHERE {where} ORDER BY {order} LIMIT {limit}";

    public override SqlSession Open(bool forWrites)
    {
        var connection = dataSource.OpenConnection();
        MySqlSession session;
        try
        {
            session = new MySqlSession(connection, settings, forWrites ? _lost : null, Marks);
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        while (forWrites && _lost.TryDequeue(out var mark))
        {
            session.KillMarked(mark);
        }

        return session;
    }

    public override SqlFault Classify(Exception exception) => MySqlErrors.Classify(exception);
}
