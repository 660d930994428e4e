using System.Globalization;
using Im.Storage.Relational;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Im.Storage.Sqlite.Internal;

/// <summary>One connection, set up for its lane.</summary>
internal sealed class SqliteSession : SqlSession
{
    private const int PageBytes = 4096;

    private readonly SqliteConnection _connection;
    private readonly sqlite3 _database;

    public SqliteSession(SqliteConnection connection, ImSqliteOptions options, bool forWrites)
    {
        _connection = connection;
        _database = connection.Handle!;
        try
        {
            Configure(options, forWrites);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public override void BeginRead() => Prepare("BEGIN").Execute();

    public override void BeginWrite() => Prepare("BEGIN IMMEDIATE").Execute();

    public override void Commit() => Prepare("COMMIT").Execute();

    /// <summary>After some errors SQLite has rolled back by itself.</summary>
    public override void Rollback()
    {
        if (raw.sqlite3_get_autocommit(_database) == 0)
        {
            Prepare("ROLLBACK").Execute();
        }
    }

    /// <summary>Runs a text of several statements.</summary>
    public void ExecuteScript(string sql) => SqliteNative.Execute(_database, sql);

    public override void Dispose()
    {
        base.Dispose();
        _connection.Dispose();
    }

    protected override SqlStatement CreateStatement(string sql) => new SqliteStatement(_database, sql);

    protected override RowWriter CreateWriter(RowTarget target) => new SqliteRowWriter(_database, target);

    protected override KeyReader CreateReader(KeySource source) => new SqliteKeyReader(_database, source);

    private void Configure(ImSqliteOptions options, bool forWrites)
    {
        raw.sqlite3_busy_timeout(_database, (int)options.BusyTimeout.TotalMilliseconds);
        SetPragma("cache_size", -options.CacheBytes / 1024);
        SetPragma("temp_store", 2);
        if (!forWrites)
        {
            SetPragma("query_only", 1);
            return;
        }

        var mode = Prepare("PRAGMA journal_mode = WAL");
        if (mode.Read() && !string.Equals(mode.GetText(0), "wal", StringComparison.OrdinalIgnoreCase))
        {
            throw new IOException($"SQLite's write-ahead log cannot be used there (journal_mode is {mode.GetText(0)}): choose a local disk.");
        }

        mode.Clear();
        SetPragma("synchronous", options.Synchronous == ImSqliteSynchronous.Full ? 2 : 1);

        // Pages that are written again and again are copied into the file once a checkpoint; after a burst the log is cut to this size again.
        SetPragma("wal_autocheckpoint", Math.Max(1, options.CheckpointBytes / PageBytes));
        SetPragma("journal_size_limit", 2L * options.CheckpointBytes);
        if (options.MaxPageCount is { } pages)
        {
            SetPragma("max_page_count", pages);
        }
    }

    private void SetPragma(string name, long value) =>
        SqliteNative.Execute(_database, string.Create(CultureInfo.InvariantCulture, $"PRAGMA {name} = {value}"));
}
