using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using Im.Storage.Relational;

namespace Im.Storage.MySql.Internal;

/// <summary>A lane's connection. Transactions are begun and ended with SQL, which costs one round trip each with every driver.</summary>
/// <remarks>
/// A connection that writes is marked: it holds a named lock, so that another one can ask the server which connection it is, and end it. That is
/// done with one that was lost in the middle of a transaction: the server may notice much later, and would keep its row locks so long.
/// A connection's number alone would not do, since numbers begin again when the server restarts.
/// </remarks>
internal sealed class MySqlSession : SqlSession
{
    private readonly DbConnection _connection;
    private readonly MySqlSettings _settings;
    private readonly ConcurrentQueue<string>? _lost;
    private readonly ConnectionMarks _marks;
    private readonly string _mark = $"im-{Guid.NewGuid():n}";
    private readonly DbCommand _begin;
    private readonly DbCommand _commit;
    private readonly DbCommand _rollback;
    private bool _isInTransaction;
    private string? _markedFor;

    /// <summary>Takes an open connection over and prepares it for a lane.</summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="lost">For a lane that writes: gets the session's mark when it ends in the middle of a transaction.</param>
    /// <param name="marks">For a lane that writes: by which other nodes find the connection.</param>
    public MySqlSession(DbConnection connection, MySqlSettings settings, ConcurrentQueue<string>? lost, ConnectionMarks marks)
    {
        _marks = marks;
        _connection = connection;
        _settings = settings;
        _lost = lost;
        if (settings.ConnectionInitSql.Length > 0)
        {
            Execute(settings.ConnectionInitSql);
        }

        Execute(SessionSql(settings));
        var isWriter = lost is not null;
        Execute($"SET SESSION TRANSACTION ISOLATION LEVEL {(isWriter ? "READ COMMITTED" : "REPEATABLE READ")}");
        if (isWriter)
        {
            // A driver with a pool gives a connection with the locks that it had.
            Execute("DO RELEASE_ALL_LOCKS()");
            Execute($"DO GET_LOCK('{_mark}', 0)");
        }

        _begin = Command(isWriter ? "START TRANSACTION" : "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
        _commit = Command("COMMIT");
        _rollback = Command("ROLLBACK");
    }

    /// <summary>Whether named locks are given back at the end: a driver with a pool would keep the connection, and them.</summary>
    public bool GivesLocksBack { get; set; }

    public override void BeginRead() => Begin();

    public override void BeginWrite()
    {
        if (!ReferenceEquals(_markedFor, _marks.Instance))
        {
            MarkForOthers();
        }

        Begin();
    }

    public override void Commit()
    {
        _commit.ExecuteNonQuery();
        _isInTransaction = false;
    }

    public override void Rollback()
    {
        _rollback.ExecuteNonQuery();
        _isInTransaction = false;
    }

    /// <summary>Runs one statement without parameters.</summary>
    public void Execute(string sql)
    {
        using var command = Command(sql);
        command.ExecuteNonQuery();
    }

    /// <summary>The first value of a query; null where there is none.</summary>
    public object? Query(string sql)
    {
        using var command = Command(sql);
        return command.ExecuteScalar() is { } value and not DBNull ? value : null;
    }

    /// <summary>
    /// Ends the connection with a mark, if the server still has it. An account may end connections of its own. Not this one: a driver with a pool has
    /// rolled back and given the same connection again.
    /// </summary>
    public void KillMarked(string mark)
    {
        try
        {
            if (Query($"SELECT NULLIF(IS_USED_LOCK('{mark}'), CONNECTION_ID())") is { } id)
            {
                Kill(Convert.ToInt64(id, CultureInfo.InvariantCulture));
            }
        }
        catch (DbException)
        {
            // It has ended in the meantime, or a proxy forbids it: then the server's own time limit ends it.
        }
    }

    /// <summary>Ends a connection; one that has ended in the meantime is no error.</summary>
    public void Kill(long id)
    {
        const int NoSuchThread = 1094;
        try
        {
            Execute(string.Create(CultureInfo.InvariantCulture, $"KILL CONNECTION {id}"));
        }
        catch (DbException exception) when (MySqlErrors.NumberOf(exception) == NoSuchThread)
        {
            // It has just ended.
        }
    }

    public override void Dispose()
    {
        if (_isInTransaction)
        {
            _lost?.Enqueue(_mark);
        }

        if (GivesLocksBack)
        {
            TryGiveLocksBack();
        }

        base.Dispose();
        _begin.Dispose();
        _commit.Dispose();
        _rollback.Dispose();
        _connection.Dispose();
    }

    protected override SqlStatement CreateStatement(string sql) => new MySqlStatement(Command(sql));

    protected override RowWriter CreateWriter(RowTarget target) => new MySqlRowWriter(Command(""), target);

    protected override KeyReader CreateReader(KeySource source) => new MySqlKeyReader(Command(""), source);

    /// <summary>
    /// Strict, so that nothing is cut to fit; no long waits for a lock; and a process that stops in the middle of a transaction does not hold its
    /// locks for hours. MariaDB knows a limit for just that; MySQL only one for connections that do nothing, which a lane survives.
    /// </summary>
    private static string SessionSql(MySqlSettings settings) =>
        "SET SESSION sql_mode = CONCAT_WS(',', NULLIF(@@SESSION.sql_mode, ''), 'STRICT_TRANS_TABLES'), "
        + $"SESSION innodb_lock_wait_timeout = {Seconds(settings.LockWaitTimeout)}"
        + $"/*M!100300 , SESSION idle_write_transaction_timeout = {Seconds(settings.IdleTransactionTimeout)}*/"
        + "/*!80000 , SESSION wait_timeout = 300*/";

    private static string Seconds(TimeSpan time) =>
        Math.Max(1, (long)Math.Ceiling(time.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    private void TryGiveLocksBack()
    {
        try
        {
            Execute("DO RELEASE_ALL_LOCKS()");
            Execute("SET SESSION wait_timeout = @@GLOBAL.wait_timeout");
        }
        catch (DbException)
        {
            // The connection is lost, and its locks with it.
        }
    }

    // One that finds no free name stays without: then only the server's own time limit ends its transaction.
    private void MarkForOthers()
    {
        var instance = _marks.Instance;
        for (var i = 0; instance is not null && _lost is not null && i < ConnectionMarks.Count; i++)
        {
            if (Query($"SELECT GET_LOCK('{_marks.Next(instance)}', 0)") is { } taken && Convert.ToInt64(taken, CultureInfo.InvariantCulture) == 1)
            {
                break;
            }
        }

        _markedFor = instance;
    }

    private void Begin()
    {
        _begin.ExecuteNonQuery();
        _isInTransaction = true;
    }

    private DbCommand Command(string sql)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = (int)Math.Ceiling(_settings.CommandTimeout.TotalSeconds);
        return command;
    }
}
