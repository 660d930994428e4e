using Im.Model;
using Im.Outbox.Internal;
using Im.Outbox.Tests.Support;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Im.Groups;
using static Im.Outbox.Tests.Support.RelayNode;

namespace Im.Outbox.Tests;

/// <summary>Refusals, failures, leases, start and stop.</summary>
public abstract partial class OutboxRules
{
    [Fact]
    public async Task ARefusedMessageBlocksNobodyAndCanBeSentAgain()
    {
        await using var node = await StartAsync(Im, Database);
        await Im.Server.Groups.CreateAsync(new NewGroup { GroupId = "team", Info = new GroupInfo("Team"), MemberIds = ["bob"], ActorId = "$orders" }).Soon();
        var team = ConversationId.Group("team");
        var fromAnn = new OutgoingMessage { SenderId = "ann", ConversationId = team, Content = MessageContent.FromText("from ann") };
        await node.CommitAsync(
            Database,
            To("nobody", "refused"),
            fromAnn,
            fromAnn with { SenderId = "bob", Content = MessageContent.FromText("from bob") },
            To("ann", "fine"));
        await Database.DrainedAsync();
        Assert.Equal(["fine"], await Im.TextsAsync("ann"));
        Assert.Equal(["from bob"], await Im.TextsAsync("bob", team));
        Assert.Equal(2, await Database.CountAsync(2));
        Assert.Equal(2, node.Log.Count(EventIds.MessageRefused));
        Assert.StartsWith("not_a_member: ", await Database.ScalarAsync("SELECT error FROM im_outbox WHERE kind = 2 ORDER BY id DESC"));

        // What docs/outbox.md says about repairing it.
        await Im.Server.Groups.AddMembersAsync("team", ["ann"], "$orders").Soon();
        await Database.ExecuteAsync("UPDATE im_outbox SET kind = 1, error = NULL WHERE kind = 2");
        await Database.DrainedAsync();
        Assert.Equal(["from bob", "from ann"], await Im.TextsAsync("bob", team));
        Assert.Equal(1, await Database.CountAsync(2));
    }

    [Fact]
    public async Task ARowThatIsNoMessageBlocksNobody()
    {
        await using var node = await StartAsync(Im, Database);
        await Database.ExecuteAsync($"INSERT INTO im_outbox (kind, id, time_ms, payload, error) VALUES (1, '{new string('0', 32)}', 0, 'nonsense', NULL)");
        await node.CommitAsync(Database, To("ann", "fine"));
        await Database.DrainedAsync();
        Assert.Equal(["fine"], await Im.TextsAsync("ann"));
        Assert.Equal(1, await Database.CountAsync(2));
    }

    // The store fails for one conversation now and then: its messages wait for each other, others do not wait for them.
    [Fact]
    public async Task AMessageThatCannotBeTakenForNowHoldsBackItsConversationOnly()
    {
        var failures = 0;
        await using var node = await StartAsync(Im, Database, hook: messages => messages.Answer = message =>
            message.ToUserId == "ann" && message.Content.Text == "2" && failures++ < 5
                ? HookedMessages.Rejected(message, failures % 2 == 0 ? ImErrorCode.StorageUnavailable : ImErrorCode.Conflict)
                : null);
        await node.CommitAsync(
            Database, [.. Enumerable.Range(0, 5).SelectMany(i => new[] { To("ann", $"{i}"), To("bob", $"{i}") })]);
        await Database.DrainedAsync();
        Assert.Equal(["0", "1", "2", "3", "4"], await Im.TextsAsync("ann"));
        Assert.Equal(["0", "1", "2", "3", "4"], await Im.TextsAsync("bob"));
        Assert.Equal(3, node.Log.Count(EventIds.MessageHeldBack));
        Assert.Equal(2, node.Log.Count(EventIds.ServerUnavailable));
        Assert.All(node.Messages.Results, result => Assert.NotEqual(ImSendOutcome.Duplicate, result.Outcome));
    }

    // The first message is held back in one page and due again while the next page, with the second one, is being sent.
    [Fact]
    public async Task AMessageThatWaitsInAnEarlierPageIsNotOvertaken()
    {
        var time = new FakeTime();
        var isFirst = true;
        await using var node = Create(
            Im,
            Database,
            o => (o.MaxPageRows, o.LeaseDuration) = (2, TimeSpan.FromMinutes(10)),
            time,
            messages =>
            {
                messages.Answer = message => message.ToUserId == "ann" && isFirst && !(isFirst = false)
                    ? HookedMessages.Rejected(message, ImErrorCode.Conflict)
                    : null;
                messages.BeforeSend = call =>
                {
                    if (call.Any(message => message.ToUserId == "bob" && message.Content.Text == "2"))
                    {
                        time.Advance(TimeSpan.FromSeconds(1));
                    }

                    return Task.CompletedTask;
                };
            });
        await using (await StartAsync(Im, Database, time: time))
        {
        }

        await node.CommitAsync(Database, To("ann", "1"), To("bob", "1"), To("ann", "2"), To("bob", "2"));
        await node.StartAsync();
        await Database.DrainedAsync();
        Assert.Equal(["1", "2"], await Im.TextsAsync("ann"));
    }

    // A message that makes a whole call throw is found, and then only its own conversation waits.
    [Fact]
    public async Task AMessageThatMakesCallsThrowIsSetApart()
    {
        var isPoisonous = true;
        await using var node = Create(Im, Database, o => o.MaxPageRows = 8, hook: messages => messages.BeforeSend = call =>
            isPoisonous && call.Any(message => message.ToUserId == "user3") ? throw new InvalidOperationException("poison") : Task.CompletedTask);
        await using (await StartAsync(Im, Database))
        {
        }

        await node.CommitAsync(Database, [.. Enumerable.Range(0, 40).Select(i => To($"user{i % 20}", $"{i}"))]);
        await node.StartAsync();
        await Wait.ForAsync(async () => await Database.CountAsync(1) == 2, "all but the two of user3");
        isPoisonous = false;
        await Database.DrainedAsync();
        Assert.Equal(["3", "23"], await Im.TextsAsync("user3"));
        Assert.Equal(["4", "24"], await Im.TextsAsync("user4"));
    }

    [Fact]
    public async Task AMessageThatFailsForTooLongIsGivenUp()
    {
        await using var node = await StartAsync(
            Im,
            Database,
            o => o.GiveUpAfter = TimeSpan.FromMilliseconds(50),
            hook: messages => messages.Answer = message => message.Content.Text == "1" ? HookedMessages.Rejected(message, ImErrorCode.Internal) : null);
        await node.CommitAsync(Database, To("ann", "1"), To("ann", "2"));
        await Database.DrainedAsync();
        Assert.Equal(["2"], await Im.TextsAsync("ann"));
        Assert.Equal(1, await Database.CountAsync(2));
    }

    [Fact]
    public async Task NothingIsLostOrReorderedWhileTheServerTakesNothing()
    {
        var isDown = true;
        await using var node = await StartAsync(
            Im, Database, o => o.GiveUpAfter = TimeSpan.Zero, hook: messages => messages.Answer = message => isDown ? HookedMessages.Rejected(message, ImErrorCode.StorageUnavailable) : null);
        await node.CommitAsync(Database, [.. Enumerable.Range(0, 40).Select(i => To($"user{i % 4}", $"{i}"))]);
        await Wait.ForAsync(() => node.Messages.Results.Count >= 10, "the relay has tried");
        isDown = false;
        await Database.DrainedAsync();
        for (var user = 0; user < 4; user++)
        {
            Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i * 4 + user}"), await Im.TextsAsync($"user{user}"));
        }
    }

    [Fact]
    public async Task TheRelayReturnsByItselfWhenTheHostsDatabaseDoes()
    {
        await using var node = await StartAsync(Im, Database);
        await node.CommitAsync(Database, To("ann", "before"));
        await Database.DrainedAsync();
        await Database.BreakAsync();
        await Wait.ForAsync(() => node.Log.Count(EventIds.DatabaseFailed) >= 2, "the failure is logged");
        Assert.Equal(HealthStatus.Unhealthy, await node.HealthAsync());
        await Database.RepairAsync();
        await Wait.ForAsync(() => node.Log.Count(EventIds.DatabaseBack) == 1, "the return is logged");
        await node.CommitAsync(Database, To("ann", "after"));
        await Database.DrainedAsync();
        Assert.Equal(["before", "after"], await Im.TextsAsync("ann"));
        Assert.Equal(HealthStatus.Healthy, await node.HealthAsync());
    }

    [Fact]
    public async Task OneRelayAtATimeHoldsTheLeaseUntilItExpires()
    {
        var time = new FakeTime();
        await using (await StartAsync(Im, Database))
        {
        }

        await using var one = Create(Im, Database, o => o.LeaseDuration = TimeSpan.FromSeconds(9), time);
        await using var other = Create(Im, Database, o => o.LeaseDuration = TimeSpan.FromSeconds(9), time);
        var first = one.Get<RelayLease>();
        var second = other.Get<RelayLease>();

        // The lease that the clean-up above gave up is free at once.
        Assert.True(await first.HoldAsync().Soon());
        Assert.False(await second.HoldAsync().Soon());

        // Made longer in time, it is never free.
        for (var i = 0; i < 5; i++)
        {
            time.Advance(TimeSpan.FromSeconds(3));
            Assert.True(await first.HoldAsync().Soon());
            Assert.False(await second.HoldAsync().Soon());
        }

        time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(await second.HoldAsync().Soon());
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.True(await second.HoldAsync().Soon());
        Assert.False(await first.HoldAsync().Soon());

        // Given up, it is free at once, but for the pause between two tries.
        await second.ReleaseAsync().Soon();
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.True(await first.HoldAsync().Soon());
    }

    [Fact]
    public async Task OfTwoNodesOneRelaysAndTheOtherTakesOverWhenItStops()
    {
        await using var one = await StartAsync(Im, Database, o => o.LeaseDuration = TimeSpan.FromHours(1));
        await one.CommitAsync(Database, To("ann", "0"));
        await Database.DrainedAsync();
        await using var other = await StartAsync(Im, Database, o => o.LeaseDuration = TimeSpan.FromHours(1));
        for (var i = 1; i <= 50; i++)
        {
            await (i % 2 == 0 ? one : other).CommitAsync(Database, To("ann", $"{i}"));
            other.Outbox.Nudge();
        }

        await Database.DrainedAsync();
        Assert.Empty(other.Messages.Calls);
        await one.StopAsync();
        await other.CommitAsync(Database, To("ann", "51"));
        await Database.DrainedAsync();
        Assert.NotEmpty(other.Messages.Calls);

        // Between two nodes the order within a millisecond is nobody's.
        Assert.Equal(Enumerable.Range(0, 52), (await Im.TextsAsync("ann")).Select(int.Parse).Order());
    }

    // Two clocks that are hours apart: both relays believe that they hold the lease.
    [Fact]
    public async Task TwoRelaysAtOnceStoreNothingTwice()
    {
        var ahead = new ShiftedTime(TimeSpan.FromHours(2));
        await using var one = await StartAsync(Im, Database, o => o.LeaseDuration = TimeSpan.FromSeconds(60));

        // In this order: from the one ahead it would not get the lease for two hours.
        await Wait.ForAsync(() => one.Log.Count(EventIds.LeaseTaken) == 1, "the one has the lease");
        await using var other = await StartAsync(Im, Database, o => o.LeaseDuration = TimeSpan.FromSeconds(60), ahead);
        await Wait.ForAsync(() => other.Log.Count(EventIds.LeaseTaken) == 1, "the other has it too");
        for (var i = 0; i < 200; i++)
        {
            await one.CommitAsync(Database, To($"user{i % 5}", $"{i}"));
            one.Outbox.Nudge();
            other.Outbox.Nudge();
        }

        await Database.DrainedAsync();
        for (var user = 0; user < 5; user++)
        {
            Assert.Equal(Enumerable.Range(0, 40).Select(i => $"{i * 5 + user}"), await Im.TextsAsync($"user{user}"));
        }
    }

    [Fact]
    public async Task StoppingFinishesTheCallInHandAndGivesTheLeaseUp()
    {
        var sent = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        await using var node = await StartAsync(Im, Database, hook: messages => messages.AfterSend = async (_, _) =>
        {
            sent.SetResult();
            await goOn.Task;
        });
        await node.CommitAsync(Database, To("ann", "1"));
        await sent.Task.Soon();
        var stopping = node.StopAsync();
        Assert.False(stopping.IsCompleted);
        goOn.SetResult();
        await stopping;
        Assert.Equal(0, await Database.CountAsync(1));
        Assert.Equal("0", await Database.ScalarAsync("SELECT time_ms FROM im_outbox WHERE kind = 0"));
        Assert.Equal(0, node.Log.Count(EventIds.StopTimedOut));
    }

    [Fact]
    public async Task SeveralNodesMayStartAtOnceOnAnEmptyDatabase()
    {
        var nodes = Enumerable.Range(0, 4).Select(_ => Create(Im, Database)).ToArray();
        try
        {
            await Task.WhenAll(nodes.Select(node => Task.Run(node.StartAsync))).Soon();
            await nodes[3].CommitAsync(Database, To("ann", "hello"));
            await Database.DrainedAsync();
            Assert.Equal(["hello"], await Im.TextsAsync("ann"));
            Assert.Equal(1, await Database.CountAsync(0));
        }
        finally
        {
            foreach (var node in nodes)
            {
                await node.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task WithoutTheTableTheHostDoesNotStartAndSaysWhatToDo()
    {
        var node = Create(Im, Database, o => o.CreateTable = false);
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(node.StartAsync);
        Assert.Contains("im_outbox", failure.Message, StringComparison.Ordinal);
        Assert.Contains("ImOutboxSchema.Script", failure.Message, StringComparison.Ordinal);
        node.Abandon();
    }

    [Fact]
    public async Task TheTableMayHaveAnotherNameAndBeMadeByHand()
    {
        var dialect = Database.HasConcurrentWriters ? ImOutboxDialect.MySql : ImOutboxDialect.Sqlite;
        var script = ImOutboxSchema.Script(dialect, "my_messages");
        await Database.ExecuteAsync(script);
        await Database.ExecuteAsync(script);
        await using var node = await StartAsync(Im, Database, o => (o.CreateTable, o.TableName) = (false, "my_messages"));
        await node.CommitAsync(Database, To("ann", "hello"));
        await Wait.ForAsync(async () => (await Im.TextsAsync("ann")).Count == 1, "it arrives");
    }

    [Fact]
    public async Task AnEmptiedTableIsNoEnd()
    {
        await using var node = await StartAsync(Im, Database);
        await Database.ExecuteAsync("DELETE FROM im_outbox");
        await node.CommitAsync(Database, To("ann", "hello"));
        await Database.DrainedAsync();
        Assert.Equal(["hello"], await Im.TextsAsync("ann"));
    }

    private sealed class ShiftedTime(TimeSpan shift) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + shift;
    }
}
