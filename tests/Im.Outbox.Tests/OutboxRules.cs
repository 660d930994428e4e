using Im.Model;
using Im.Outbox.Tests.Support;
using static Im.Outbox.Tests.Support.RelayNode;

namespace Im.Outbox.Tests;

/// <summary>What a host is promised, on any database.</summary>
public abstract partial class OutboxRules : IAsyncLifetime
{
    private protected TestDatabase Database { get; private set; } = null!;

    private protected ImNode Im { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = await CreateDatabaseAsync();
        Im = await ImNode.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await Im.DisposeAsync();
        await Database.DisposeAsync();
    }

    private protected abstract Task<TestDatabase> CreateDatabaseAsync();

    [Fact]
    public async Task WhatIsRolledBackNeverExisted()
    {
        await using var node = await StartAsync(Im, Database);
        await using (var connection = await Database.DataSource.OpenConnectionAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await node.Outbox.EnqueueAsync(To("ann", "no"), transaction).Soon();
            await transaction.RollbackAsync();
        }

        node.Outbox.Nudge();
        await node.CommitAsync(Database, To("ann", "yes"));
        node.Outbox.Nudge();
        await Database.DrainedAsync();
        Assert.Equal(["yes"], await Im.TextsAsync("ann"));
    }

    // The host's own row and the message: both or none.
    [Fact]
    public async Task TheHostsRowAndItsMessageAreCommittedTogether()
    {
        await Database.ExecuteAsync("CREATE TABLE orders (id INTEGER NOT NULL)");
        await using var node = await StartAsync(Im, Database);
        foreach (var (order, commit) in new[] { (1, true), (2, false), (3, true) })
        {
            await using var connection = await Database.DataSource.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using var command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = $"INSERT INTO orders (id) VALUES ({order})";
            await command.ExecuteNonQueryAsync();
            await node.Outbox.EnqueueAsync(To("ann", $"order {order}"), transaction).Soon();
            await (commit ? transaction.CommitAsync() : transaction.RollbackAsync());
        }

        await Database.DrainedAsync();
        Assert.Equal("2", await Database.ScalarAsync("SELECT COUNT(*) FROM orders"));
        Assert.Equal(["order 1", "order 3"], await Im.TextsAsync("ann"));
    }

    [Fact]
    public async Task ANudgeIsPromptAndPollingFindsTheRest()
    {
        await using (var node = await StartAsync(Im, Database, o => (o.PollInterval, o.LeaseDuration) = (TimeSpan.FromHours(1), TimeSpan.FromHours(1))))
        {
            // A nudge while the relay waits, and one right after another.
            for (var i = 0; i < 20; i++)
            {
                await node.CommitAsync(Database, To("ann", $"{i}"));
                node.Outbox.Nudge();
                await Database.DrainedAsync();
            }

            Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}"), await Im.TextsAsync("ann"));
            await node.CommitAsync(Database, To("ann", "not nudged"));
        }

        await using var polling = await StartAsync(Im, Database);
        await polling.CommitAsync(Database, To("ann", "polled"));
        await Database.DrainedAsync();
        Assert.Equal(["not nudged", "polled"], (await Im.TextsAsync("ann"))[20..]);
    }

    // The process dies right after the host's commit.
    [Fact]
    public async Task WhatIsCommittedBeforeACrashIsSentByTheNextProcess()
    {
        await using (var table = await StartAsync(Im, Database))
        {
        }

        var dead = Create(Im, Database);
        await dead.CommitAsync(Database, To("ann", "1"), To("ann", "2"));
        dead.Abandon();
        await using var next = await StartAsync(Im, Database);
        await Database.DrainedAsync();
        Assert.Equal(["1", "2"], await Im.TextsAsync("ann"));
    }

    [Fact]
    public async Task ARelayThatDiesBetweenSendAndDeleteSendsAgainAndEachMessageIsStoredOnce()
    {
        var sent = new TaskCompletionSource();
        var dead = await StartAsync(Im, Database, hook: messages => messages.AfterSend = async (_, cancellationToken) =>
        {
            sent.SetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        });
        await dead.CommitAsync(Database, To("ann", "1"), To("bob", "2"));
        await sent.Task.Soon();
        dead.Abandon();
        Assert.Equal(2, await Database.CountAsync(1));

        await using var next = await StartAsync(Im, Database);
        await Database.DrainedAsync();
        Assert.Equal(["1"], await Im.TextsAsync("ann"));
        Assert.Equal(["2"], await Im.TextsAsync("bob"));
        Assert.All(next.Messages.Results, result => Assert.Equal(ImSendOutcome.Duplicate, result.Outcome));
        Assert.Equal(2, next.Messages.Results.Count);
    }

    // Another node's clock is behind, or its transaction took long: its id is lower than one that was sent already.
    [Fact]
    public async Task ALowerIdThatIsCommittedLateIsSent()
    {
        await using var node = await StartAsync(Im, Database);
        await using var late = Create(Im, Database, time: new FakeTime());
        await node.CommitAsync(Database, To("ann", "new"));
        await Database.DrainedAsync();
        await late.CommitAsync(Database, To("ann", "late"));
        await Database.DrainedAsync();
        Assert.Equal(["new", "late"], await Im.TextsAsync("ann"));

        if (Database.HasConcurrentWriters)
        {
            await using var connection = await Database.DataSource.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await node.Outbox.EnqueueAsync(To("ann", "slow"), transaction).Soon();
            await node.CommitAsync(Database, To("ann", "quick"));
            await Wait.ForAsync(async () => (await Im.TextsAsync("ann")).Count == 3, "the quick one is sent while the slow one is open");
            await transaction.CommitAsync();
            await Database.DrainedAsync();
            Assert.Equal(["quick", "slow"], (await Im.TextsAsync("ann"))[2..]);
        }
    }

    [Fact]
    public async Task WhatTheHostSaysArrivesUnchanged()
    {
        await using var node = await StartAsync(Im, Database);
        var text = "äöü 😀 中文 \"quoted\" \\ \u0001 \n end";
        var data = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        await node.CommitAsync(Database, new OutgoingMessage
        {
            SenderId = "ann",
            ToUserId = "bøb",
            Content = MessageContent.Custom(text, data) with { Mentions = ["bøb", MessageContent.MentionEveryone] },
        });
        await Database.DrainedAsync();
        var entry = Assert.Single(await Im.Server.Conversations.ReadHistoryAsync("ann", ConversationId.Direct("ann", "bøb")).Soon());
        Assert.Equal("ann", entry.SenderId);
        Assert.Equal("custom", entry.Content!.ContentType);
        Assert.Equal(text, entry.Content.Text);
        Assert.Equal(data, entry.Content.Data.ToArray());
        Assert.Equal(["bøb", "*"], entry.Content.Mentions.AsEnumerable());
    }

    [Fact]
    public async Task AnIdOfTheHostsOwnIsKeptAndStoredOnce()
    {
        await using var node = await StartAsync(Im, Database);
        var message = To("ann", "once") with { ClientMessageId = "order-7" };
        await node.CommitAsync(Database, message);
        await node.CommitAsync(Database, message, To("ann", "other"));
        await Database.DrainedAsync();
        Assert.Equal(["once", "other"], await Im.TextsAsync("ann"));
        Assert.Contains(node.Messages.Results, result => result.ClientMessageId == "order-7");
    }

    [Fact]
    public async Task ThousandsOfMessagesOfATransactionAreSentInItsOrderPageByPage()
    {
        await using var node = Create(Im, Database, o => o.MaxPageRows = 200);
        await using (await StartAsync(Im, Database))
        {
        }

        var messages = Enumerable.Range(0, 5000).Select(i => To($"user{i % 100}", $"{i}")).ToArray();
        await node.CommitAsync(Database, messages);
        Assert.Equal(5000, await Database.CountAsync(1));
        await node.StartAsync();
        await Database.DrainedAsync();
        for (var user = 0; user < 100; user++)
        {
            Assert.Equal(Enumerable.Range(0, 50).Select(i => $"{i * 100 + user}"), await Im.TextsAsync($"user{user}"));
        }

        Assert.True(node.Messages.Calls.Max(call => call.Count) <= 100);
        Assert.Equal(5000, node.Messages.Calls.Sum(call => call.Count));
    }

    // 100 rows of 60 KB, read in pages of at most 200 KB.
    [Fact]
    public async Task LargeMessagesAreReadFewAtATime()
    {
        await using var node = Create(Im, Database, o => o.MaxPageBytes = 200 * 1024);
        await using (await StartAsync(Im, Database))
        {
        }

        var body = new string('x', 60 * 1024);
        await node.CommitAsync(Database, [.. Enumerable.Range(0, 100).Select(i => To($"user{i}", body))]);
        await node.StartAsync();
        await Database.DrainedAsync();
        Assert.All(node.Messages.Calls, call => Assert.InRange(call.Count, 1, 3));
        Assert.Equal(100, node.Messages.Results.Count(result => result.Outcome == ImSendOutcome.Stored));
    }
}
