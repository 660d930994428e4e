using System.Diagnostics;
using Im.Model;
using Im.Storage.MySql.Tests.Support;
using Im.Testing.Specification;
using Microsoft.Extensions.DependencyInjection;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage.MySql.Tests;

/// <summary>One live process a node name, and the connections of dead and frozen ones.</summary>
[Collection(MySqlCollection.Name)]
public sealed class NodeGuardTests(MySqlServer server)
{
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private static readonly Audience Both = To("ann", "bob");

    [Fact]
    public async Task TheSecondLiveProcessOfANameFailsAtStartWithWhatFixesIt()
    {
        await using var database = new TestDatabase(server.Server);
        var first = Guard(await database.OpenAsync(Quick));
        await first.AcquireAsync("im-1", "a", Never, CancellationToken.None).Soon();

        var second = Guard(await database.OpenAsync(Quick));
        var failure = await Assert.ThrowsAsync<ImStorageException>(() => second.AcquireAsync("im-1", "b", Never, CancellationToken.None).Soon());
        Assert.Equal(ImStorageFailure.Refused, failure.Failure);
        Assert.StartsWith("Another live process runs as node \"im-1\" on this database.", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("(ImServerOptions.NodeName)", failure.Message, StringComparison.Ordinal);

        // Another name, and the same name on another database of the same server, are others'.
        await Guard(await database.OpenAsync(Quick)).AcquireAsync("im-2", "c", Never, CancellationToken.None).Soon();
        await using var other = new TestDatabase(server.Server);
        await Guard(await other.OpenAsync(Quick)).AcquireAsync("im-1", "d", Never, CancellationToken.None).Soon();

        // Given back, it is free at once.
        await first.ReleaseAsync(CancellationToken.None).Soon();
        await Guard(await database.OpenAsync(Quick)).AcquireAsync("im-1", "e", Never, CancellationToken.None).Soon();
    }

    [Fact]
    public async Task AStartWaitsForAProcessThatIsJustEnding()
    {
        await using var database = new TestDatabase(server.Server);
        var first = Guard(await database.OpenAsync(Quick));
        await first.AcquireAsync("im-1", "a", Never, CancellationToken.None).Soon();
        var second = Guard(await database.OpenAsync(options => options.NodeNameWait = TimeSpan.FromSeconds(20))).AcquireAsync("im-1", "b", Never, CancellationToken.None).AsTask();
        await Task.WhenAny(second, Task.Delay(500));
        Assert.False(second.IsCompleted);
        await first.ReleaseAsync(CancellationToken.None).Soon();
        await second.Soon();
    }

    [Fact]
    public async Task AfterAKillTheNameIsFree()
    {
        await using var database = new TestDatabase(server.Server);
        await using (var killed = NodeProcess.Start(database.ConnectionString, "im-1", "a"))
        {
            Assert.Equal("held", await killed.HearAsync());
            await using var refused = NodeProcess.Start(database.ConnectionString, "im-1", "b");
            Assert.Contains("ImServerOptions.NodeName", await refused.HearAsync(), StringComparison.Ordinal);
            await killed.KillAsync();
        }

        await using var next = NodeProcess.Start(database.ConnectionString, "im-1", "c");
        Assert.Equal("held", await next.HearAsync());
    }

    [Fact]
    public async Task ANameWhoseConnectionWasLostIsTakenAgain()
    {
        await using var database = new TestDatabase(server.Server);
        var lost = 0;
        await Guard(await database.OpenAsync(Quick)).AcquireAsync("im-1", "a", () => lost++, CancellationToken.None).Soon();
        for (var round = 0; round < 2; round++)
        {
            var before = await HolderAsync(database, "a", _ => true);
            server.Execute($"KILL CONNECTION {before}");
            await HolderAsync(database, "a", holder => holder != before);
        }

        var failure = await Assert.ThrowsAsync<ImStorageException>(
            async () => await Guard(await database.OpenAsync(Quick)).AcquireAsync("im-1", "b", Never, CancellationToken.None).Soon());
        Assert.Contains("NodeName", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, lost);
    }

    [Fact]
    public async Task AProcessThatWasFrozenForTooLongHearsThatItsNameIsLost()
    {
        await using var database = new TestDatabase(server.Server);
        await using var frozen = NodeProcess.Start(database.ConnectionString, "im-1", "a");
        Assert.Equal("held", await frozen.HearAsync());
        frozen.Freeze();
        try
        {
            var reaper = Guard(await database.OpenAsync(Quick));
            Assert.True(await reaper.EndNodeConnectionsAsync("im-1", "a", CancellationToken.None).Soon() >= 1);
            await Guard(await database.OpenAsync(Quick)).AcquireAsync("im-1", "b", Never, CancellationToken.None).Soon();

            // What is of the newer process of that name stays.
            Assert.Equal(0, await reaper.EndNodeConnectionsAsync("im-1", "a", CancellationToken.None).Soon());
            Assert.IsType<DBNull>(server.Query($"SELECT IS_USED_LOCK('{MarkOf("a")}')"));
            Assert.IsNotType<DBNull>(server.Query($"SELECT IS_USED_LOCK('{MarkOf("b")}')"));
        }
        finally
        {
            frozen.Thaw();
        }

        Assert.Equal("lost", await frozen.HearAsync());
    }

    [Fact]
    public async Task ANodeThatIsFrozenInATransactionBlocksNobodyOnceItsConnectionsAreEndedAndNothingIsDoubled()
    {
        await using var database = new TestDatabase(server.Server);
        await using var frozen = NodeProcess.Start(database.ConnectionString, "im-1", "a");
        Assert.Equal("held", await frozen.HearAsync());
        await frozen.SayAsync("append first");
        Assert.Equal("stored 1", await frozen.HearAsync());
        await frozen.SayAsync("stop second");
        Assert.Equal("in transaction", await frozen.HearAsync());
        frozen.Freeze();
        var started = Stopwatch.GetTimestamp();
        var node = await database.OpenAsync(options => options.LockWaitTimeout = TimeSpan.FromSeconds(10));
        try
        {
            var append = Task.Run(async () => await node.Messages.AppendAsync(Batch([Message(Direct, "bob", Both, id: "other")], null, "im-2"), CancellationToken.None));
            await Task.WhenAny(append, Task.Delay(1000));
            Assert.False(append.IsCompleted);
            Assert.True(await Guard(node).EndNodeConnectionsAsync("im-1", "a", CancellationToken.None).Soon() >= 2);
            Assert.Equal(2, (await append.WaitAsync(TimeSpan.FromSeconds(5))).Items[0].Seq.Value);
        }
        finally
        {
            frozen.Thaw();
        }

        // Its connection is gone, the commit log says that nothing was committed, and it is done again: once.
        await frozen.SayAsync("go");
        Assert.Equal("stored 3", await frozen.HearAsync());
        await frozen.SayAsync("append second");
        Assert.Equal("duplicate 3", await frozen.HearAsync());
        await database.CheckAsync(node, [Direct], ["ann", "bob"]);
        Assert.Equal(3, database.Count("SELECT COUNT(*) FROM im_entries"));
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 20);
    }

    [Fact]
    public async Task ConnectionsThatWereOpenBeforeTheNameWasTakenAreFoundToo()
    {
        await using var database = new TestDatabase(server.Server);
        var node = await database.OpenAsync(Quick);
        await node.Messages.AppendAsync(Batch(Message(Direct, "ann", Both)), CancellationToken.None).Soon();
        await Guard(node).AcquireAsync("im-1", "a", Never, CancellationToken.None).Soon();
        await node.Messages.AppendAsync(Batch([Message(Direct, "ann", Both)], null, "im-1"), CancellationToken.None).Soon();

        var other = Guard(await database.OpenAsync(Quick));
        Assert.Equal(0, await other.EndNodeConnectionsAsync("im-1", "b", CancellationToken.None).Soon());
        Assert.Equal(0, await Guard(node).EndNodeConnectionsAsync("im-1", "a", CancellationToken.None).Soon());
        Assert.True(await other.EndNodeConnectionsAsync("im-1", "a", CancellationToken.None).Soon() >= 2);

        // A process that lives all the same opens new ones and goes on.
        Assert.Equal(3, (await node.Messages.AppendAsync(Batch([Message(Direct, "ann", Both)], null, "im-1"), CancellationToken.None).Soon()).Items[0].Seq.Value);
        Assert.True(await other.EndNodeConnectionsAsync("im-1", "a", CancellationToken.None).Soon() >= 1);
    }

    [Fact]
    public async Task AnAccountWithoutFurtherRightsMayEndItsOwnConnections()
    {
        await using var database = new TestDatabase(server.Server);
        var account = $"u_{database.Name}"[..16];
        server.Execute($"CREATE USER {account}@'127.0.0.1'; GRANT ALL ON {database.Name}.* TO {account}@'127.0.0.1'");
        var connectionString = server.Server.ConnectionString(database.Name, user: account);
        var node = await database.OpenAsync(Quick, connectionString);
        await Guard(node).AcquireAsync("im-1", "a", Never, CancellationToken.None).Soon();
        var other = Guard(await database.OpenAsync(Quick, connectionString));
        Assert.True(await other.EndNodeConnectionsAsync("im-1", "a", CancellationToken.None).Soon() >= 1);
    }

    private static void Quick(ImMySqlOptions options) =>
        (options.NodeNameWait, options.NodeNameTimeout) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));

    private static void Never() => Assert.Fail("The name is not lost.");

    private static INodeGuard Guard(MySqlStores node) => node.Services.GetRequiredService<INodeGuard>();

    private static string MarkOf(string instance) => Internal.ConnectionMarks.GuardOf(Internal.ConnectionMarks.Hash(instance));

    private static async Task<long> HolderAsync(TestDatabase database, string instance, Func<long, bool> isRight)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (true)
        {
            if (database.Query($"SELECT IS_USED_LOCK('{MarkOf(instance)}')") is { } holder and not DBNull && isRight(Convert.ToInt64(holder)))
            {
                return Convert.ToInt64(holder);
            }

            await Task.Delay(20, deadline.Token);
        }
    }
}
