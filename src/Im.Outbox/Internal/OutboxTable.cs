using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;

namespace Im.Outbox.Internal;

/// <summary>All statements of the relay, synchronous: they run on the thread of <see cref="OutboxDatabase"/>.</summary>
/// <remarks>
/// Each is a look-up or a range of the primary key, and write transactions are READ COMMITTED, so that no gap is locked into which the host inserts.
/// </remarks>
internal sealed class OutboxTable
{
    public const int MaxErrorLength = 500;

    // Parameters of one statement; every database takes as many.
    private const int MaxIdsPerDelete = 100;

    private readonly string _table;
    private readonly int _timeoutSeconds;

    public OutboxTable(OutboxDataSource source, IOptions<ImOutboxOptions> options)
    {
        _table = options.Value.TableName;
        _timeoutSeconds = (int)Math.Ceiling(options.Value.CommandTimeout.TotalSeconds);
        Dialect = options.Value.Dialect is { } dialect ? SqlDialect.For(dialect) : Detect(source.Value);
    }

    public SqlDialect Dialect { get; }

    /// <summary>Whether the table is there and can be read.</summary>
    public void Probe(DbConnection connection)
    {
        using var command = Command(connection, null, $"SELECT id, time_ms, payload, error FROM {_table} WHERE kind = 0 AND id = ''");
        command.ExecuteScalar();
    }

    public void Create(DbConnection connection) => Execute(connection, Dialect.CreateTable(_table));

    /// <summary>Puts the row of the lease there, if it is not. Two at once: the key lets one of them in, the other gets an exception.</summary>
    public void EnsureLease(DbConnection connection)
    {
        using (var exists = Command(connection, null, $"SELECT time_ms FROM {_table} WHERE kind = 0 AND id = 'relay'"))
        {
            if (exists.ExecuteScalar() is not null)
            {
                return;
            }
        }

        Execute(connection, $"INSERT INTO {_table} (kind, id, time_ms, payload, error) VALUES (0, 'relay', 0, '', NULL)");
    }

    /// <summary>Takes the lease, or makes it last longer. False: another relay holds it.</summary>
    /// <remarks><paramref name="untilMs"/> must be new each time: some drivers count only rows that really changed.</remarks>
    public bool TryTakeLease(DbConnection connection, string owner, long nowMs, long untilMs)
    {
        using var command = Command(
            connection,
            null,
            $"UPDATE {_table} SET payload = @owner, time_ms = @until WHERE kind = 0 AND id = 'relay' AND (payload = @holder OR time_ms < @now)");
        Add(command, "@owner", DbType.AnsiString, owner);
        Add(command, "@until", DbType.Int64, untilMs);
        Add(command, "@holder", DbType.AnsiString, owner);
        Add(command, "@now", DbType.Int64, nowMs);
        if (command.ExecuteNonQuery() > 0)
        {
            return true;
        }

        // Somebody may have emptied the table by hand: then the row is there at the next try.
        EnsureLease(connection);
        return false;
    }

    /// <summary>Lets another relay go on at once.</summary>
    public void ReleaseLease(DbConnection connection, string owner)
    {
        using var command = Command(connection, null, $"UPDATE {_table} SET time_ms = 0 WHERE kind = 0 AND id = 'relay' AND payload = @owner");
        Add(command, "@owner", DbType.AnsiString, owner);
        command.ExecuteNonQuery();
    }

    /// <summary>The first waiting rows after an id, in id order.</summary>
    public OutboxPage Read(DbConnection connection, string after, int maxRows, int maxBytes)
    {
        using var command = Command(connection, null, Dialect.SelectWaiting(_table, maxRows));
        Add(command, "@id", DbType.AnsiString, after);
        using var reader = command.ExecuteReader();
        var rows = new List<OutboxRow>();
        var bytes = 0L;
        while (reader.Read())
        {
            var row = new OutboxRow(reader.GetString(0), reader.GetInt64(1), reader.GetString(2));
            bytes += row.Payload.Length;
            if (rows.Count > 0 && bytes > maxBytes)
            {
                return new OutboxPage(rows, IsLast: false, IsCut: true);
            }

            rows.Add(row);
        }

        return new OutboxPage(rows, IsLast: rows.Count < maxRows, IsCut: false);
    }

    /// <summary>Removes the rows that are sent and marks those that were refused, in one transaction.</summary>
    public void Complete(DbConnection connection, IReadOnlyList<string> sent, IReadOnlyList<RefusedRow> refused, long nowMs)
    {
        using var transaction = connection.BeginTransaction(IsolationLevel.ReadCommitted);
        foreach (var ids in sent.Chunk(MaxIdsPerDelete))
        {
            Delete(connection, transaction, ids);
        }

        foreach (var row in refused)
        {
            using var command = Command(connection, transaction, $"UPDATE {_table} SET kind = 2, time_ms = @now, error = @error WHERE kind = 1 AND id = @id");
            Add(command, "@now", DbType.Int64, nowMs);
            Add(command, "@error", DbType.String, row.Error.Length > MaxErrorLength ? row.Error[..MaxErrorLength] : row.Error);
            Add(command, "@id", DbType.AnsiString, row.Id);
            command.ExecuteNonQuery();
        }

        transaction.Commit();
    }

    private void Delete(DbConnection connection, DbTransaction transaction, string[] ids)
    {
        var sql = new StringBuilder($"DELETE FROM {_table} WHERE kind = 1 AND id IN (");
        for (var i = 0; i < ids.Length; i++)
        {
            sql.Append(i == 0 ? "@p" : ", @p").Append(i);
        }

        using var command = Command(connection, transaction, sql.Append(')').ToString());
        for (var i = 0; i < ids.Length; i++)
        {
            Add(command, string.Create(CultureInfo.InvariantCulture, $"@p{i}"), DbType.AnsiString, ids[i]);
        }

        command.ExecuteNonQuery();
    }

    private void Execute(DbConnection connection, string sql)
    {
        using var command = Command(connection, null, sql);
        command.ExecuteNonQuery();
    }

    private DbCommand Command(DbConnection connection, DbTransaction? transaction, string sql)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        command.CommandTimeout = _timeoutSeconds;
        return command;
    }

    public static void Add(DbCommand command, string name, DbType type, object value)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.DbType = type;
        parameter.Value = value;
        command.Parameters.Add(parameter);
    }

    private static SqlDialect Detect(DbDataSource source)
    {
        using var connection = source.CreateConnection();
        return SqlDialect.Detect(connection);
    }
}
