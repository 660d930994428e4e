using System.Data.Common;

namespace Im.Outbox.Internal;

/// <summary>The few words in which the four databases differ; all other statements are the same everywhere.</summary>
/// <remarks>
/// The table, whose primary key is all that it needs: waiting rows are one range of it, in order, and refused ones are never read again.
/// <code>
///  kind  id       time_ms          payload          error
///  ----  -------  ---------------  ---------------  ------------------
///   0    'relay'  leased until     who holds it     NULL                one row: the lease
///   1    the id   enqueued at      JSON, ASCII      NULL                waiting
///   2    the id   refused at       JSON, ASCII      code and reason     refused; for the host's people
/// </code>
/// Ids and payloads are ASCII, so that no character set of a connection of the host's can change them. Ids compare byte by byte.
/// </remarks>
internal sealed class SqlDialect
{
    private SqlDialect(string create, string select, string initSql)
    {
        _create = create;
        _select = select;
        ConnectionInitSql = initSql;
    }

    private static readonly SqlDialect MySql = new(
        """
        CREATE TABLE IF NOT EXISTS {0} (
            kind SMALLINT NOT NULL,
            id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            time_ms BIGINT NOT NULL,
            payload LONGTEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            error VARCHAR(500) CHARACTER SET utf8mb4 NULL,
            PRIMARY KEY (kind, id)
        ) ENGINE = InnoDB;
        """,
        "SELECT id, time_ms, payload FROM {0} WHERE kind = 1 AND id > @id ORDER BY id LIMIT {1}",
        "SET NAMES utf8mb4");

    private static readonly SqlDialect Sqlite = new(
        """
        CREATE TABLE IF NOT EXISTS {0} (
            kind INTEGER NOT NULL,
            id TEXT NOT NULL,
            time_ms INTEGER NOT NULL,
            payload TEXT NOT NULL,
            error TEXT NULL,
            PRIMARY KEY (kind, id)
        ) WITHOUT ROWID;
        """,
        "SELECT id, time_ms, payload FROM {0} WHERE kind = 1 AND id > @id ORDER BY id LIMIT {1}",
        "");

    private static readonly SqlDialect PostgreSql = new(
        """
        CREATE TABLE IF NOT EXISTS {0} (
            kind SMALLINT NOT NULL,
            id VARCHAR(32) COLLATE "C" NOT NULL,
            time_ms BIGINT NOT NULL,
            payload TEXT NOT NULL,
            error VARCHAR(500) NULL,
            PRIMARY KEY (kind, id)
        );
        """,
        "SELECT id, time_ms, payload FROM {0} WHERE kind = 1 AND id > @id ORDER BY id LIMIT {1}",
        "");

    // READPAST: rows of open transactions are left out, as the others' snapshots do, and found by a later pass; without it the relay would wait for them.
    private static readonly SqlDialect SqlServer = new(
        """
        IF OBJECT_ID(N'{0}', N'U') IS NULL
        CREATE TABLE {0} (
            kind SMALLINT NOT NULL,
            id VARCHAR(32) COLLATE Latin1_General_BIN2 NOT NULL,
            time_ms BIGINT NOT NULL,
            payload VARCHAR(MAX) COLLATE Latin1_General_BIN2 NOT NULL,
            error NVARCHAR(500) NULL,
            PRIMARY KEY CLUSTERED (kind, id)
        );
        """,
        "SELECT TOP ({1}) id, time_ms, payload FROM {0} WITH (READPAST, ROWLOCK) WHERE kind = 1 AND id > @id ORDER BY id",
        "");

    private readonly string _create;
    private readonly string _select;

    /// <summary>What a connection needs before its first statement; empty = nothing.</summary>
    public string ConnectionInitSql { get; }

    public static SqlDialect For(ImOutboxDialect dialect) => dialect switch
    {
        ImOutboxDialect.MySql => MySql,
        ImOutboxDialect.Sqlite => Sqlite,
        ImOutboxDialect.PostgreSql => PostgreSql,
        ImOutboxDialect.SqlServer => SqlServer,
        _ => throw new ArgumentOutOfRangeException(nameof(dialect), dialect, "Use one of the values of ImOutboxDialect."),
    };

    /// <summary>The dialect that belongs to a driver, by the name of its connection type.</summary>
    public static SqlDialect Detect(DbConnection connection) => connection.GetType().FullName switch
    {
        "MySqlConnector.MySqlConnection" or "MySql.Data.MySqlClient.MySqlConnection" => MySql,
        "Microsoft.Data.Sqlite.SqliteConnection" or "System.Data.SQLite.SQLiteConnection" => Sqlite,
        "Npgsql.NpgsqlConnection" => PostgreSql,
        "Microsoft.Data.SqlClient.SqlConnection" or "System.Data.SqlClient.SqlConnection" => SqlServer,
        var name => throw new InvalidOperationException(
            $"The outbox does not know which database is behind {name}. Say it: AddImOutbox(dataSource, o => o.Dialect = ImOutboxDialect.MySql)."),
    };

    public string CreateTable(string table) => _create.Replace("{0}", table, StringComparison.Ordinal);

    public string SelectWaiting(string table, int limit) => string.Format(System.Globalization.CultureInfo.InvariantCulture, _select, table, limit);
}
