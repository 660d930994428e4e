using Im.LocalServers;
using Im.Model;
using Im.Storage.MySql.Tests.Support;
using Im.Testing.Specification;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage.MySql.Tests;

/// <summary>Servers that die, fill up or take no writes: clear errors, nothing half done, and work goes on without a restart of the process.</summary>
public sealed class OutageTests
{
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private static readonly Audience Both = To("ann", "bob");
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // A batch that is refused is split, so that strangers get through; one that meets a store in trouble is not.
    [Fact]
    public async Task ADamagedRowIsNotTakenForAnOutage()
    {
        await using var server = await MariaDbServer.StartAsync().WaitAsync(Limit);
        await using var database = new TestDatabase(server);
        var node = await database.OpenAsync();
        await node.Messages.AppendAsync(Batch(Create("g:team", Im.Fanout.FanoutNames.Write, "ann", "bob")), CancellationToken.None).Soon();
        database.Execute("DELETE FROM im_groups");
        var change = Change("g:team", "ann", To("ann", "bob"), 1, new ConversationChange.DissolveGroup());
        var failure = await Assert.ThrowsAsync<ImStorageException>(() => node.Messages.AppendAsync(Batch(change), CancellationToken.None).Soon());
        Assert.Equal(ImStorageFailure.Refused, failure.Failure);
        Assert.Contains("g:team", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AServerThatIsKilledAndRestartedIsUsedAgain()
    {
        await using var server = await MariaDbServer.StartAsync().WaitAsync(Limit);
        await using var database = new TestDatabase(server);
        var node = await database.OpenAsync(options => options.CommitDecisionTimeout = TimeSpan.FromSeconds(20));
        using var stop = new CancellationTokenSource();
        var acked = new Dictionary<string, long>();
        var failures = 0;
        var writing = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var item = Message(Direct, "ann", Both, id: "m" + i);
                while (!acked.ContainsKey(item.ClientMessageId))
                {
                    try
                    {
                        var answer = (await node.Messages.AppendAsync(Batch(item), CancellationToken.None)).Items[0];
                        acked.Add(item.ClientMessageId, answer.Seq.Value);
                    }
                    catch (ImStorageException exception) when (exception.Failure == ImStorageFailure.Unavailable)
                    {
                        failures++;
                        await Task.Delay(20);
                    }
                }
            }
        });

        for (var kill = 0; kill < 3; kill++)
        {
            var before = Volatile.Read(ref failures);
            await WaitForMoreAsync(node, 30);
            await server.KillAsync().WaitAsync(Limit);
            await Assert.ThrowsAsync<ImStorageException>(() => HeadAsync(node));
            await server.RestartAsync().WaitAsync(Limit);
        }

        await WaitForMoreAsync(node, 30);
        await stop.CancelAsync();
        await writing.WaitAsync(Limit);

        Assert.Equal(acked.Count, await HeadAsync(node));
        Assert.Equal(Enumerable.Range(1, acked.Count).Select(i => (long)i), acked.Values);
        await database.CheckAsync(node, [Direct], ["ann", "bob"]);
    }

    [Fact]
    public async Task AReadOnlyServerIsAClearErrorUntilItTakesWritesAgain()
    {
        await using var server = await MariaDbServer.StartAsync().WaitAsync(Limit);
        await using var database = new TestDatabase(server);
        MySqlServer.Execute(server, $"CREATE USER im@'127.0.0.1'; GRANT ALL ON {database.Name}.* TO im@'127.0.0.1'");
        var node = await database.OpenAsync(connectionString: server.ConnectionString(database.Name, user: "im"));
        await node.Messages.AppendAsync(Batch(Message(Direct, "ann", Both)), CancellationToken.None).Soon();

        MySqlServer.Execute(server, "SET GLOBAL read_only = 1");
        var item = Message(Direct, "ann", Both);
        for (var i = 0; i < 3; i++)
        {
            var failure = await Assert.ThrowsAsync<ImStorageException>(
                () => node.Messages.AppendAsync(Batch(item), CancellationToken.None).Soon());
            Assert.Equal(ImStorageFailure.ReadOnly, failure.Failure);
            Assert.Contains("read_only", failure.Message, StringComparison.Ordinal);
        }

        Assert.Equal(1, await HeadAsync(node));
        MySqlServer.Execute(server, "SET GLOBAL read_only = 0");
        Assert.Equal(2, (await node.Messages.AppendAsync(Batch(item), CancellationToken.None).Soon()).Items[0].Seq.Value);
        await database.CheckAsync(node, [Direct], ["ann", "bob"]);
    }

    [Fact]
    public async Task AFullTablespaceIsAClearErrorUntilThereIsRoomAgain()
    {
        await using var server = await MariaDbServer.StartAsync(new MariaDbServerOptions
        {
            OwnInstallation = true,
            // Undo logs have files of their own, so that a table can be dropped when there is no room left.
            Arguments = ["--innodb-data-file-path=ibdata1:12M:autoextend:max:32M", "--innodb-file-per-table=0", "--innodb-undo-tablespaces=2"],
        }).WaitAsync(Limit);
        await using var database = new TestDatabase(server);
        var node = await database.OpenAsync();

        // What an operator can remove later.
        database.Execute("CREATE TABLE filler (id INT AUTO_INCREMENT PRIMARY KEY, data MEDIUMBLOB) ENGINE=InnoDB");
        database.Execute("INSERT INTO filler (data) VALUES (REPEAT('x', 3000000)), (REPEAT('x', 3000000)), (REPEAT('x', 3000000))");

        var body = new string('m', 60_000);
        var stored = 0;
        AppendItem item;
        ImStorageException failure;
        while (true)
        {
            item = Message(Direct, "ann", Both, body: body);
            try
            {
                await node.Messages.AppendAsync(Batch(item), CancellationToken.None).Soon();
                stored++;
                Assert.InRange(stored, 1, 1000);
            }
            catch (ImStorageException exception)
            {
                failure = exception;
                break;
            }
        }

        Assert.Equal(ImStorageFailure.Full, failure.Failure);
        Assert.Contains("no room", failure.Message, StringComparison.Ordinal);
        Assert.Equal(stored, await HeadAsync(node));
        Assert.Null((await node.Messages.FindSentAsync([new(item.SenderId, item.ClientMessageId)], CancellationToken.None).Soon())[0]);

        // The server gives the room back in the background.
        database.Execute("DROP TABLE filler");
        using var deadline = new CancellationTokenSource(Limit);
        AppendResult? result = null;
        while (result is null)
        {
            try
            {
                result = await node.Messages.AppendAsync(Batch(item), CancellationToken.None).Soon();
            }
            catch (ImStorageException exception) when (exception.Failure == ImStorageFailure.Full)
            {
                await Task.Delay(50, deadline.Token);
            }
        }

        Assert.Equal(stored + 1, result.Items[0].Seq.Value);
        await database.CheckAsync(node, [Direct], ["ann", "bob"]);
    }

    [Fact]
    public async Task AServerThatCannotBeReachedIsAClearErrorAtTheStart()
    {
        var port = LoopbackPorts.Next();
        var failure = await Assert.ThrowsAsync<ImStorageException>(
            () => MySqlStores.OpenAsync($"Server=127.0.0.1;Port={port};User ID=root;SslMode=None;Database=im;Connection Timeout=2").WaitAsync(Limit));
        Assert.Equal(ImStorageFailure.Unavailable, failure.Failure);
        Assert.Contains("can be reached", failure.Message, StringComparison.Ordinal);
    }

    private static async Task<long> HeadAsync(MySqlStores node) =>
        (await node.Messages.GetHeadsAsync([TimelineKey.Conversation(Direct)], CancellationToken.None).Soon())[0].Head;

    private static async Task WaitForMoreAsync(MySqlStores node, int entries)
    {
        using var deadline = new CancellationTokenSource(Limit);
        var wanted = -1L;
        while (true)
        {
            try
            {
                var head = await HeadAsync(node);
                wanted = wanted < 0 ? head + entries : wanted;
                if (head >= wanted)
                {
                    return;
                }
            }
            catch (ImStorageException)
            {
                // Not up yet.
            }

            await Task.Delay(10, deadline.Token);
        }
    }
}
