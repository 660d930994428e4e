using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Im.Outbox.Tests.Support;

/// <summary>A file in WAL mode.</summary>
internal sealed class SqliteDatabase : TestDatabase
{
    private readonly string _folder = Directory.CreateTempSubdirectory("im-outbox-").FullName;

    public SqliteDatabase()
    {
        SQLitePCL.Batteries_V2.Init();
        DataSource = SqliteFactory.Instance.CreateDataSource(ConnectionString);
        using var connection = DataSource.OpenConnection();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL";
        command.ExecuteNonQuery();
    }

    public override string ConnectionString => $"Data Source={Path.Combine(_folder, "host.db")};Default Timeout=60";

    public override DbDataSource DataSource { get; }

    public override bool HasConcurrentWriters => false;

    public override Task BreakAsync() => ExecuteAsync("ALTER TABLE im_outbox RENAME TO away");

    public override Task RepairAsync() => ExecuteAsync("ALTER TABLE away RENAME TO im_outbox");

    public override ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
