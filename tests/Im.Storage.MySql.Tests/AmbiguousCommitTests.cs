using System.Diagnostics;
using Im.Model;
using Im.Storage.MySql.Tests.Support;
using Im.Testing.Specification;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage.MySql.Tests;

/// <summary>A connection that is lost while it commits: what happened is found out, and happens once.</summary>
[Collection(MySqlCollection.Name)]
public sealed class AmbiguousCommitTests(MySqlServer server)
{
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private static readonly Audience Both = To("ann", "bob");

    public static TheoryData<CommitCut> Cuts { get; } = [.. Enum.GetValues<CommitCut>()];

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task ACommitWhoseConnectionIsCutIsDecidedAndStoredOnce(CommitCut cut)
    {
        await using var database = new TestDatabase(server.Server);
        await using var proxy = new MySqlProxy(server.Server.Port);
        var node = await database.OpenAsync(connectionString: server.Server.ConnectionString(database.Name, port: proxy.Port));
        for (var i = 0; i < 5; i++)
        {
            proxy.CutNextCommit(cut);
            AppendItem[] items = [Message(Direct, "ann", Both, id: $"{i}a"), Message(Direct, "bob", Both, id: $"{i}b")];
            var started = Stopwatch.GetTimestamp();
            var result = await node.Messages.AppendAsync(Batch(items), CancellationToken.None).Soon();

            // Not by waiting until a lock is given up: the lost connection is ended.
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(1.5), $"{Stopwatch.GetElapsedTime(started)}");
            Assert.Equal(0, proxy.CutsLeft);
            Assert.True(result.Committed);
            Assert.All(result.Items, item => Assert.Equal(AppendOutcome.Stored, item.Outcome));
            Assert.Equal([(2 * i) + 1L, (2 * i) + 2L], result.Items.Select(item => item.Seq.Value));
            Assert.Equal(new Timelines.Run(Direct, new((2 * i) + 1), 2), Assert.Single(result.Runs));
            Assert.Equal([(2 * i) + 1L, (2 * i) + 1L], Assert.Single(result.Classes).FirstSeqs.ToArray());

            var again = await node.Messages.AppendAsync(Batch(items), CancellationToken.None).Soon();
            Assert.All(again.Items, item => Assert.Equal(AppendOutcome.Duplicate, item.Outcome));
            Assert.Equal(result.Items.Select(item => item.Seq), again.Items.Select(item => item.Seq));
        }

        await database.CheckAsync(node, [Direct], ["ann", "bob"]);
        Assert.Equal(5, database.Count("SELECT COUNT(*) FROM im_commits"));
    }

    [Fact]
    public async Task ConnectionsThatAreCutAtAnyMomentLoseAndDoubleNothing()
    {
        await using var database = new TestDatabase(server.Server);
        await using var proxy = new MySqlProxy(server.Server.Port);
        var node = await database.OpenAsync(connectionString: server.Server.ConnectionString(database.Name, port: proxy.Port));
        using var stop = new CancellationTokenSource();
        var cutting = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                await Task.Delay(15);
                proxy.CutAll();
            }
        });
        for (var i = 0; i < 150; i++)
        {
            var item = Message(Direct, "ann", Both, id: "m" + i);
            while (true)
            {
                try
                {
                    var result = await node.Messages.AppendAsync(Batch(item), CancellationToken.None).Soon();
                    Assert.Equal(i + 1, result.Items[0].Seq.Value);
                    break;
                }
                catch (ImStorageException exception)
                {
                    // Cut three times in a row: the sender is told to try again. That nothing is known it is never told here.
                    Assert.Equal(ImStorageFailure.Unavailable, exception.Failure);
                }
            }
        }

        await stop.CancelAsync();
        await cutting.Soon();
        await database.CheckAsync(node, [Direct], ["ann", "bob"]);
    }

    [Fact]
    public async Task ACommitThatNobodyCanDecideInTimeIsSaidToBeUnknown()
    {
        await using var database = new TestDatabase(server.Server);
        var proxy = new MySqlProxy(server.Server.Port);
        var node = await database.OpenAsync(
            options => options.CommitDecisionTimeout = TimeSpan.FromSeconds(1),
            server.Server.ConnectionString(database.Name, port: proxy.Port) + ";Connection Timeout=1");
        await node.Messages.AppendAsync(Batch(Message(Direct, "ann", Both)), CancellationToken.None).Soon();
        proxy.StopAtNextCommit();
        var failure = await Assert.ThrowsAsync<ImStorageException>(
            () => node.Messages.AppendAsync(Batch(Message(Direct, "ann", Both, id: "x")), CancellationToken.None).Soon());
        Assert.Equal(ImStorageFailure.OutcomeUnknown, failure.Failure);
        await proxy.DisposeAsync();
    }
}
