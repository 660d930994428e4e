using Im.LocalServers;
using Im.Storage.MySql.Tests.Support;
using Im.Testing.Specification;
using MySql.Data.MySqlClient;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage.MySql.Tests;

/// <summary>The schema and the generation at start.</summary>
[Collection(MySqlCollection.Name)]
public sealed class InitializationTests(MySqlServer server)
{
    [Fact]
    public async Task FourNodesThatStartOnAnEmptyDatabaseMakeOneSchemaAndOneGeneration()
    {
        for (var round = 0; round < 3; round++)
        {
            await using var database = new TestDatabase(server.Server);
            var nodes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => database.OpenAsync())));
            var generations = await Task.WhenAll(nodes.Select(GenerationAsync));
            Assert.Single(generations.Distinct());
            await Task.WhenAll(nodes.Select((node, n) => Task.Run(async () =>
                await node.Messages.AppendAsync(Batch([Message("d:ann:bob", "ann", To("ann", "bob"))], null, "n" + n), CancellationToken.None)))).Soon();
            await database.CheckAsync(nodes[0], ["d:ann:bob"], ["ann", "bob"]);
        }
    }

    [Fact]
    public async Task TheGenerationStaysOverRestartsAndChangesOnceForAllNodesByALabel()
    {
        await using var database = new TestDatabase(server.Server);
        var first = await GenerationAsync(await database.OpenAsync());
        Assert.Equal(32, first.Length);
        Assert.Equal(first, await GenerationAsync(await database.OpenAsync()));

        var nodes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => database.OpenAsync(options => options.NewGeneration = "restored"))));
        var second = Assert.Single((await Task.WhenAll(nodes.Select(GenerationAsync))).Distinct());
        Assert.NotEqual(first, second);

        // The same text again, or none, changes nothing; another one does.
        Assert.Equal(second, await GenerationAsync(await database.OpenAsync(options => options.NewGeneration = "restored")));
        Assert.Equal(second, await GenerationAsync(await database.OpenAsync()));
        Assert.NotEqual(second, await GenerationAsync(await database.OpenAsync(options => options.NewGeneration = "restored again")));
    }

    [Fact]
    public async Task TheStatementOfTheReadmeChangesTheGeneration()
    {
        await using var database = new TestDatabase(server.Server);
        var first = await GenerationAsync(await database.OpenAsync());
        database.Execute("UPDATE im_meta SET value = REPLACE(UUID(), '-', '') WHERE name = 'generation'");
        Assert.NotEqual(first, await GenerationAsync(await database.OpenAsync()));
    }

    [Fact]
    public async Task WithoutCreateSchemaTheScriptMakesTheSameTables()
    {
        await using var automatic = new TestDatabase(server.Server);
        await automatic.OpenAsync();
        await using var byHand = new TestDatabase(server.Server);
        var failure = await Assert.ThrowsAsync<ImStorageException>(() => byHand.OpenAsync(options => options.CreateSchema = false));
        Assert.Equal(ImStorageFailure.Refused, failure.Failure);
        Assert.Contains("ImMySqlSchema.Script(0)", failure.Message, StringComparison.Ordinal);

        // Twice: every statement may be run again.
        byHand.Execute(ImMySqlSchema.Script());
        byHand.Execute(ImMySqlSchema.Script());
        var node = await byHand.OpenAsync(options => options.CreateSchema = false);
        await node.Messages.AppendAsync(Batch(Message("d:ann:bob", "ann", To("ann", "bob"))), CancellationToken.None).Soon();
        Assert.Equal(Columns(automatic), Columns(byHand));
        Assert.Equal("", ImMySqlSchema.Script(ImMySqlSchema.Version));
    }

    [Fact]
    public async Task TablesAreInnoDbWithUtf8mb4AndKeysAreBytes()
    {
        await using var database = new TestDatabase(server.Server);
        await database.OpenAsync();
        const string Tables = "FROM information_schema.tables WHERE table_schema = DATABASE()";
        Assert.Equal(14, database.Count($"SELECT COUNT(*) {Tables}"));
        Assert.Equal(14, database.Count($"SELECT COUNT(*) {Tables} AND engine = 'InnoDB' AND table_collation = 'utf8mb4_bin' AND table_name LIKE 'im\\_%'"));
        const string Keys = "FROM information_schema.columns WHERE table_schema = DATABASE() AND column_key <> ''";
        Assert.Equal(0, database.Count($"SELECT COUNT(*) {Keys} AND data_type NOT IN ('varbinary', 'bigint', 'int')"));
    }

    [Fact]
    public async Task ASchemaThatIsNewerThanThePackageIsRefused()
    {
        await using var database = new TestDatabase(server.Server);
        await database.OpenAsync();
        database.Execute("UPDATE im_meta SET value = '99' WHERE name IN ('schema', 'oldest_program')");
        var failure = await Assert.ThrowsAsync<ImStorageException>(() => database.OpenAsync());
        Assert.Equal(ImStorageFailure.Refused, failure.Failure);
        Assert.Contains("schema 99", failure.Message, StringComparison.Ordinal);
        Assert.Contains("PackageReference", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANewerSchemaThatProgramsOfThisOneCanWorkWithIsUsedSoThatTwoVersionsWorkSideBySide()
    {
        await using var database = new TestDatabase(server.Server);
        await database.OpenAsync();
        database.Execute("UPDATE im_meta SET value = '99' WHERE name = 'schema'");
        var node = await database.OpenAsync();
        await node.Messages.AppendAsync(Batch(Message("d:ann:bob", "ann", To("ann", "bob"))), CancellationToken.None).Soon();
    }

    [Fact]
    public async Task ADatabaseOfTheFirstSchemaGetsTheQueueAndKeepsWhatItHas()
    {
        await using var database = new TestDatabase(server.Server);
        var before = await database.OpenAsync();
        await before.Messages.AppendAsync(Batch(Message("d:ann:bob", "ann", To("ann", "bob"))), CancellationToken.None).Soon();
        database.Execute("DROP TABLE im_queued_sends; UPDATE im_meta SET value = '1' WHERE name = 'schema'");

        var nodes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => database.OpenAsync())));
        Assert.Equal(ImMySqlSchema.Version, database.Count("SELECT value FROM im_meta WHERE name = 'schema'"));
        Assert.Equal(default, await nodes[0].Set.SendQueue!.GetStateAsync("n", CancellationToken.None).Soon());
        await database.CheckAsync(nodes[1], ["d:ann:bob"], ["ann", "bob"]);
    }

    [Fact]
    public async Task AStartThatDiedHalfwayThroughTheSchemaIsFinishedByTheNextOne()
    {
        await using var database = new TestDatabase(server.Server);
        await database.OpenAsync();
        database.Execute("DELETE FROM im_meta");
        database.Execute("DROP TABLE im_device_acks");
        var node = await database.OpenAsync();
        Assert.Equal(32, (await GenerationAsync(node)).Length);
        Assert.Equal(0, database.Count("SELECT COUNT(*) FROM im_device_acks"));
    }

    [Fact]
    public async Task AConnectionWithoutADatabaseSaysSo()
    {
        var failure = await Assert.ThrowsAsync<ImStorageException>(() => MySqlStores.OpenAsync(server.Server.ConnectionString()).WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(ImStorageFailure.Refused, failure.Failure);
        Assert.Contains("Database=im", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADatabaseThatIsNotThereAndAnAccountThatIsNotLetInSaySo()
    {
        var missing = await Assert.ThrowsAsync<ImStorageException>(
            () => MySqlStores.OpenAsync(server.Server.ConnectionString("no_such_database")).WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.EndsWith("CREATE DATABASE im;", missing.Message, StringComparison.Ordinal);

        await using var database = new TestDatabase(server.Server);
        var stranger = await Assert.ThrowsAsync<ImStorageException>(
            () => database.OpenAsync(connectionString: server.Server.ConnectionString(database.Name, user: "no_such_account")));
        Assert.EndsWith("Set user and password in the connection string of the DbDataSource.", stranger.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAccountWithoutTheRightToCreateTablesIsToldWhatToGrant()
    {
        await using var database = new TestDatabase(server.Server);
        server.Execute($"CREATE USER {database.Name}@'127.0.0.1'; GRANT SELECT ON {database.Name}.* TO {database.Name}@'127.0.0.1'");
        var failure = await Assert.ThrowsAsync<ImStorageException>(
            () => database.OpenAsync(connectionString: server.Server.ConnectionString(database.Name, user: database.Name)));
        Assert.Contains("GRANT SELECT", failure.Message, StringComparison.Ordinal);
        Assert.IsType<MySqlException>(failure.InnerException);
    }

    [Fact]
    public async Task AServersOwnSqlModeDoesNotCutWhatIsTooLong()
    {
        await using var database = new TestDatabase(server.Server);
        var node = await database.OpenAsync(options => options.ConnectionInitSql = "SET NAMES utf8mb4, SESSION sql_mode = ''");
        var failure = await Assert.ThrowsAsync<ImStorageException>(() => node.Messages.AppendAsync(
            Batch(Message("d:ann:bob", new string('x', 65), To("ann", "bob"))), CancellationToken.None).Soon());
        Assert.Equal(ImStorageFailure.Refused, failure.Failure);
    }

    [Fact]
    public async Task ADriverThatSpoilsTextIsRefusedAtTheStart()
    {
        await using var latin = await MariaDbServer.StartAsync(new MariaDbServerOptions
        {
            Arguments = ["--character-set-server=latin1", "--collation-server=latin1_bin"],
        }).WaitAsync(TimeSpan.FromSeconds(60));
        await using var database = new TestDatabase(latin);
        var failure = await Assert.ThrowsAsync<ImStorageException>(() => database.OpenAsync());
        Assert.Equal(ImStorageFailure.Refused, failure.Failure);
        Assert.Contains("CharSet=utf8mb4;", failure.Message, StringComparison.Ordinal);

        // The message's line fixes it, and the tables are utf8mb4 whatever the server's default is.
        var node = await database.OpenAsync(connectionString: database.ConnectionString + ";CharSet=utf8mb4");
        await node.Set.Devices.SaveAsync(new Devices.ImDevice { UserId = "ü", DeviceId = "é", Os = "😀 €" }, CancellationToken.None).Soon();
        Assert.Equal("😀 €", (await node.Set.Devices.ListAsync("ü", CancellationToken.None).Soon())[0].Os);
    }

    private static async Task<string> GenerationAsync(MySqlStores node) => await node.Messages.GetGenerationAsync(CancellationToken.None).Soon();

    private static string Columns(TestDatabase database) => (string)database.Query(
        "SET SESSION group_concat_max_len = 1000000; SELECT GROUP_CONCAT(CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, column_key) "
        + "ORDER BY table_name, ordinal_position) FROM information_schema.columns WHERE table_schema = DATABASE()")!;
}
