using System.Data.Common;
using Im.Sample.Chat.Hosting;
using Microsoft.Data.Sqlite;

namespace Im.Sample.Chat.Data;

/// <summary>The sample's own database: what any host already has. Nothing of IM is in it but the outbox's table.</summary>
internal sealed class ChatDatabase
{
    private const string Schema = """
        PRAGMA journal_mode = WAL;
        CREATE TABLE IF NOT EXISTS users (
            id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, display_name TEXT NOT NULL, password_hash TEXT NOT NULL,
            created_ms INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS groups (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, owner_id TEXT NOT NULL REFERENCES users(id), created_ms INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS group_members (
            group_id TEXT NOT NULL REFERENCES groups(id) ON DELETE CASCADE, user_id TEXT NOT NULL REFERENCES users(id),
            joined_ms INTEGER NOT NULL, PRIMARY KEY (group_id, user_id)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS group_members_by_user ON group_members (user_id);
        CREATE TABLE IF NOT EXISTS pictures (
            hash TEXT PRIMARY KEY, content_type TEXT NOT NULL, size INTEGER NOT NULL, uploaded_by TEXT NOT NULL, created_ms INTEGER NOT NULL
            ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS picture_owners (
            hash TEXT NOT NULL REFERENCES pictures(hash), user_id TEXT NOT NULL, PRIMARY KEY (user_id, hash)) WITHOUT ROWID;
        INSERT OR IGNORE INTO picture_owners (hash, user_id) SELECT hash, uploaded_by FROM pictures;
        CREATE TABLE IF NOT EXISTS picture_conversations (
            hash TEXT NOT NULL REFERENCES pictures(hash), conversation_id TEXT NOT NULL, PRIMARY KEY (hash, conversation_id)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS sign_ins (
            id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users(id), created_ms INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS sign_ins_by_user ON sign_ins (user_id);
        CREATE TABLE IF NOT EXISTS sign_in_devices (
            user_id TEXT NOT NULL, device_id TEXT NOT NULL, sign_in_id TEXT NOT NULL REFERENCES sign_ins(id) ON DELETE CASCADE,
            PRIMARY KEY (user_id, device_id)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS sign_in_devices_by_sign_in ON sign_in_devices (sign_in_id);
        CREATE TABLE IF NOT EXISTS orders (
            id INTEGER PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users(id), to_user_id TEXT NOT NULL REFERENCES users(id), item TEXT NOT NULL,
            created_ms INTEGER NOT NULL);
        """;

    private readonly string _connectionString;

    public ChatDatabase(DataFolder folder)
    {
        SQLitePCL.Batteries_V2.Init();
        _connectionString = new SqliteConnectionStringBuilder { DataSource = folder.Database, ForeignKeys = true, DefaultTimeout = 10 }.ToString();
        DataSource = SqliteFactory.Instance.CreateDataSource(_connectionString);
        using var connection = Open();
        Execute(connection, Schema);
    }

    /// <summary>The same database, as drivers of all kinds offer it.</summary>
    public DbDataSource DataSource { get; }

    /// <summary>A pooled connection; the caller disposes it.</summary>
    public SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        return connection;
    }

    public int Execute(string sql, params (string Name, object Value)[] parameters)
    {
        using var connection = Open();
        return Execute(connection, sql, parameters);
    }

    public static int Execute(SqliteConnection connection, string sql, params (string Name, object Value)[] parameters)
    {
        using var command = Command(connection, sql, parameters);
        return command.ExecuteNonQuery();
    }

    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params (string Name, object Value)[] parameters)
    {
        using var connection = Open();
        return Query(connection, sql, read, parameters);
    }

    public static List<T> Query<T>(
        SqliteConnection connection, string sql, Func<SqliteDataReader, T> read, params (string Name, object Value)[] parameters)
    {
        using var command = Command(connection, sql, parameters);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    private static SqliteCommand Command(SqliteConnection connection, string sql, (string Name, object Value)[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }

        return command;
    }
}
