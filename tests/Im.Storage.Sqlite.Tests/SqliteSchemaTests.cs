using Im.Storage.Sqlite.Internal;
using Microsoft.Data.Sqlite;

namespace Im.Storage.Sqlite;

/// <summary>Who creates the tables, and which ones are accepted.</summary>
public sealed class SqliteSchemaTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ANewerSchemaIsRefusedWithTheLineThatHelps()
    {
        await using (var server = await SqliteServer.StartAsync(_folder["im.db"]))
        {
            await server.ExecuteAsync(
                $"UPDATE im_meta SET value = '{ImSqliteSchema.Version + 1}' WHERE name IN (CAST('schema' AS BLOB), CAST('oldest_program' AS BLOB))");
        }

        var refused = await Assert.ThrowsAsync<ImStorageException>(() => SqliteServer.StartAsync(_folder["im.db"]));
        Assert.Equal(ImStorageFailure.Refused, refused.Failure);
        Assert.Contains($"has schema {ImSqliteSchema.Version + 1}", refused.Message);
        Assert.Contains("<PackageReference Include=\"Im.Storage.Sqlite\"", refused.Message);
    }

    [Fact]
    public async Task ANewerSchemaThatProgramsOfThisOneCanWorkWithIsUsed()
    {
        await using (var server = await SqliteServer.StartAsync(_folder["im.db"]))
        {
            await server.ExecuteAsync($"UPDATE im_meta SET value = '{ImSqliteSchema.Version + 1}' WHERE name = CAST('schema' AS BLOB)");
        }

        await using var again = await SqliteServer.StartAsync(_folder["im.db"]);
        Assert.Equal(1, (await again.SendAsync()).Seq.Value);
    }

    [Fact]
    public async Task WithoutCreateSchemaAnEmptyFileIsRefusedWithTheLineThatHelps()
    {
        var refused = await Assert.ThrowsAsync<ImStorageException>(
            () => SqliteServer.StartAsync(_folder["im.db"], options => options.CreateSchema = false));
        Assert.Contains("ImSqliteSchema.Script(0)", refused.Message);
    }

    [Fact]
    public async Task TheScriptCreatesWhatCreateSchemaCreates()
    {
        Execute(_folder["script.db"], ImSqliteSchema.Script());
        await using var byHand = await SqliteServer.StartAsync(_folder["script.db"], options => options.CreateSchema = false);
        await using var byItself = await SqliteServer.StartAsync(_folder["im.db"]);
        const string Tables = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_master ORDER BY name)";
        Assert.Equal(await byItself.AskAsync(Tables), await byHand.AskAsync(Tables));
        Assert.Equal(1, (await byHand.SendAsync()).Seq.Value);
        Assert.Empty(ImSqliteSchema.Script(ImSqliteSchema.Version));
    }

    [Fact]
    public async Task ADatabaseOfTheFirstSchemaGetsTheQueueAndKeepsWhatItHas()
    {
        await using (var server = await SqliteServer.StartAsync(_folder["im.db"]))
        {
            Assert.Equal(1, (await server.SendAsync()).Seq.Value);
            await server.ExecuteAsync("DROP TABLE im_queued_sends");
            await server.ExecuteAsync("UPDATE im_meta SET value = '1' WHERE name = CAST('schema' AS BLOB)");
        }

        await using var upgraded = await SqliteServer.StartAsync(_folder["im.db"]);
        Assert.Equal("0", await upgraded.AskAsync("SELECT COUNT(*) FROM im_queued_sends"));
        Assert.Equal(2, (await upgraded.SendAsync()).Seq.Value);
    }

    [Fact]
    public async Task AnUpgradeThatFailsLeavesNothing()
    {
        // A table of the same name, that is somebody else's.
        Execute(_folder["im.db"], "CREATE TABLE im_sent (x)");
        var refused = await Assert.ThrowsAsync<ImStorageException>(() => SqliteServer.StartAsync(_folder["im.db"]));
        Assert.Contains("im_sent already exists", refused.Message);

        Execute(_folder["im.db"], "DROP TABLE im_sent");
        await using var server = await SqliteServer.StartAsync(_folder["im.db"]);
        Assert.Equal(1, (await server.SendAsync()).Seq.Value);
    }

    private static void Execute(string file, string sql)
    {
        SQLitePCL.Batteries_V2.Init();
        using var connection = new SqliteConnection(SqliteDatabase.Parse(file).ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
