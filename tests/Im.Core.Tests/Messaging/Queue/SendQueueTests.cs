using Im.Groups;
using Im.Messaging;
using Im.Messaging.Queue;
using Im.Model;
using Im.Storage;
using Im.Storage.InMemory;
using Im.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Core.Tests.Messaging.Queue;

/// <summary>Peak shaving: what is queued is stored later, once, in order; and what becomes of the rest.</summary>
public sealed class SendQueueTests
{
    private static readonly string[] Many = [.. Enumerable.Range(0, 200).Select(i => $"m{i:000}")];

    [Fact]
    public async Task BeyondTheThresholdSendsAreQueuedAndStoredInOrder()
    {
        await using var server = await QueueServer.StartAsync();
        Assert.All(await server.SendAsync("ann", ["before"]), result => Assert.Equal(ImSendOutcome.Stored, result.Outcome));
        var results = await server.SendInAPeakAsync("ann", Many);
        var stored = results.TakeWhile(result => result.Outcome == ImSendOutcome.Stored).Count();
        Assert.InRange(stored, 10, 150);
        Assert.All(results.Skip(stored), result => Assert.Equal((ImSendOutcome.Queued, ConversationId.Direct("ann", "cid")), (result.Outcome, result.ConversationId)));
        Assert.All(results, result => Assert.Same(result, result.EnsureAccepted()));
        await server.UntilHistoryAsync("ann", "cid", ["before", .. Many]);

        // The peak is over: sends go straight again.
        await QueueServer.UntilAsync(() => !server.Services.GetRequiredService<SendQueueGate>().IsQueueing);
        Assert.All(await server.SendAsync("ann", ["after"]), result => Assert.Equal(ImSendOutcome.Stored, result.Outcome));
        await server.UntilHistoryAsync("ann", "cid", ["before", .. Many, "after"]);
    }

    [Fact]
    public async Task SendsThatFollowQueuedOnesNeverOvertakeThem()
    {
        await using var server = await QueueServer.StartAsync();
        var sent = new List<string>(Many);
        await server.SendInAPeakAsync("ann", Many);
        for (var i = 0; i < 150; i++)
        {
            sent.Add($"n{i:000}");
            await server.SendAsync("ann", [sent[^1]]);
        }

        await server.UntilHistoryAsync("ann", "cid", sent);
        await QueueServer.UntilAsync(() => !server.Services.GetRequiredService<SendQueueGate>().IsQueueing);
    }

    [Fact]
    public async Task ZeroNeverQueuesAndNonPersistentSendsAreNeverQueued()
    {
        await using var never = await QueueServer.StartAsync(configure: options => options.QueueSendsAbove = 0);
        never.HoldCommits();
        var sending = never.SendAsync("ann", Many);
        await QueueServer.UntilAsync(() => never.Services.GetRequiredService<Committer>().Pending > 100);
        never.ReleaseCommits();
        Assert.All(await sending, result => Assert.Equal(ImSendOutcome.Stored, result.Outcome));

        await using var server = await QueueServer.StartAsync();
        server.Queue.ReadFailures = 1000;
        await server.SendInAPeakAsync("ann", Many);
        var relayed = await server.Im.Messages.SendAsync(QueueServer.Message("ann", "typing") with { NonPersistent = true });
        Assert.Equal(ImSendOutcome.Relayed, relayed.Outcome);
        server.Queue.ReadFailures = 0;
    }

    [Fact]
    public async Task WhatCannotBeSentIsRefusedBeforeItIsQueued()
    {
        await using var server = await QueueServer.StartAsync();
        server.Queue.ReadFailures = int.MaxValue;
        await server.SendInAPeakAsync("ann", Many);
        var results = await server.Im.Messages.SendAsync(
        [
            QueueServer.Message("nobody", "a"),
            QueueServer.Message("ann", "b", to: "nobody"),
            QueueServer.Message("ann", ""),
            QueueServer.Message("ann", "c") with { ToUserId = null, ConversationId = "g:none" },
            QueueServer.Message("ann", "good"),
        ]);
        Assert.Equal(
            [ImErrorCode.UnknownUser, ImErrorCode.UnknownUser, ImErrorCode.EmptyBody, ImErrorCode.UnknownConversation, ImErrorCode.None],
            results.Select(result => result.Code));
        Assert.Equal(ImSendOutcome.Queued, results[4].Outcome);
        server.Queue.ReadFailures = 0;
    }

    [Fact]
    public async Task WhatIsRefusedWhenItsTurnComesIsDroppedAndTheHostIsTold()
    {
        var state = new InMemoryState();
        await using (var before = await QueueServer.StartAsync(state))
        {
            await before.Im.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new GroupInfo("g"), MemberIds = ["ann", "bob"], ActorId = "ann" });
        }

        // Rows of the life before; cid is no member.
        await new InMemorySendQueue(state).AddAsync([Row("ann", "a"), Row("cid", "b"), Row("ann", "c")], 100, default);
        await using var server = await QueueServer.StartAsync(state);
        await QueueServer.UntilAsync(() => server.Dropped.Sends.Count == 1);
        var dropped = server.Dropped.Sends[0];
        Assert.Equal(("cid", "g:g", "b", ImErrorCode.NotAMember), (dropped.Message.SenderId, dropped.Message.ConversationId, dropped.Message.Content.Text, dropped.Result.Code));
        await QueueServer.UntilAsync(() => state.SendQueue.Rows.Count == 0);
        var history = await server.Im.Conversations.ReadHistoryAsync("bob", "g:g", null, 10);
        Assert.Equal(["a", "c"], history.Where(entry => entry.Content is not null).Select(entry => entry.Content!.Text));
        Assert.Single(server.Dropped.Sends);

        static QueuedSend Row(string sender, string text) => new()
        {
            NodeName = "im-1",
            TimeMs = 1,
            SenderId = sender,
            ClientMessageId = text,
            ConversationId = "g:g",
            Content = Google.Protobuf.MessageExtensions.ToByteArray(ContentMapping.ToWire(MessageContent.FromText(text))),
        };
    }

    [Fact]
    public async Task RowsOfALifeBeforeAreStoredBeforeWhatIsSentNow()
    {
        var state = new InMemoryState();
        await using (var before = await QueueServer.StartAsync(state))
        {
            before.Queue.ReadFailures = int.MaxValue;
            await before.SendInAPeakAsync("ann", Many);
        }

        Assert.NotEmpty(state.SendQueue.Rows);
        await using var server = await QueueServer.StartAsync(state, holdCommits: true);
        Assert.Equal(ImSendOutcome.Queued, (await server.SendAsync("ann", ["next"]))[0].Outcome);
        server.ReleaseCommits();
        await server.UntilHistoryAsync("ann", "cid", [.. Many, "next"]);
    }

    [Fact]
    public async Task ACrashBetweenCommitAndRemovalStoresNothingTwice()
    {
        await using var server = await QueueServer.StartAsync();
        server.Queue.RemoveFailures = 3;
        await server.SendInAPeakAsync("ann", Many);
        await server.UntilHistoryAsync("ann", "cid", Many);
        await QueueServer.UntilAsync(() => server.Services.GetRequiredService<InMemoryState>().SendQueue.Rows.Count == 0);
        await server.UntilHistoryAsync("ann", "cid", Many);
        Assert.Empty(server.Dropped.Sends);
    }

    [Fact]
    public async Task CommitsThatFailWhileTheQueueIsDrainedChangeNoOrder()
    {
        await using var server = await QueueServer.StartAsync(configure: options => (options.MaxQueuedSendsPerCommit, options.MaxBatchMessages) = (40, 15));
        server.Queue.ReadFailures = 1;
        await server.SendInAPeakAsync("ann", Many);
        server.CommitFailures = 2;
        await server.UntilHistoryAsync("ann", "cid", Many);
        Assert.Empty(server.Dropped.Sends);
    }

    [Fact]
    public async Task AnInterceptorThatFailsForAWhileHoldsItsConversationBackAndNothingElse()
    {
        await using var server = await QueueServer.StartAsync(build: im => im.AddMessageInterceptor<Moody>());
        var moody = server.Services.GetServices<IMessageInterceptor>().OfType<Moody>().Single();
        server.Queue.ReadFailures = 1;
        await server.SendInAPeakAsync("ann", Many);
        moody.Failures = 2;
        await server.UntilHistoryAsync("ann", "cid", Many);
        Assert.Empty(server.Dropped.Sends);
    }

    [Fact]
    public async Task AStoreThatCannotTakeTheRowsIsTheUsualRefusal()
    {
        await using var server = await QueueServer.StartAsync();
        server.Queue.AddFailures = int.MaxValue;
        var results = await server.SendInAPeakAsync("ann", Many);
        var stored = results.Count(result => result.Outcome == ImSendOutcome.Stored);
        Assert.InRange(stored, 1, Many.Length - 1);
        Assert.All(results.Skip(stored), result => Assert.Equal((ImSendOutcome.Rejected, ImErrorCode.StorageUnavailable), (result.Outcome, result.Code)));
        server.Queue.AddFailures = 0;
        await server.UntilHistoryAsync("ann", "cid", Many[..stored]);
    }

    [Fact]
    public async Task AFullQueueRefusesWithWhatToDo()
    {
        await using var server = await QueueServer.StartAsync(configure: options => (options.MaxQueuedSends, options.MaxBatchMessages) = (50, 20));
        server.Queue.ReadFailures = int.MaxValue;
        var results = await server.SendInAPeakAsync("ann", Many);
        Assert.InRange(results.Count(result => result.Outcome == ImSendOutcome.Queued), 20, 50);
        var refused = results.First(result => result.Outcome == ImSendOutcome.Rejected);
        Assert.Equal((ImSendOutcome.Rejected, ImErrorCode.RateLimited), (refused.Outcome, refused.Code));
        Assert.EndsWith("raise ImServerOptions.MaxQueuedSends.", refused.Message, StringComparison.Ordinal);
        server.Queue.ReadFailures = 0;
    }

    [Fact]
    public async Task AnotherNodeDrainsWhatADeadOneLeftAndNotBefore()
    {
        var state = new InMemoryState();
        await using (var dead = await QueueServer.StartAsync(state, node: "im-2"))
        {
            dead.Queue.ReadFailures = int.MaxValue;
            await dead.SendInAPeakAsync("ann", Many);
        }

        // Its lease, as a process leaves it that was killed.
        await new InMemorySendQueue(state).TakeLeaseAsync("dead", SendQueueLease.Free, default);
        var time = new ImTestTime();
        await using var server = await QueueServer.StartAsync(state, time: time);
        await QueueServer.UntilAsync(() => server.Queue.LeaseAsks > 0);
        Assert.True((await server.HistoryAsync("ann", "cid")).Count < Many.Length);
        await QueueServer.UntilAsync(() =>
        {
            time.Advance(QueueServer.Lease);
            return state.SendQueue.Rows.Count == 0;
        });
        await server.UntilHistoryAsync("ann", "cid", Many);

        // Rows of others do not hold this node's own sends back.
        Assert.Equal(ImSendOutcome.Stored, (await server.SendAsync("bob", ["straight"]))[0].Outcome);
    }

    private sealed class Moody : IMessageInterceptor
    {
        private int _failures;

        public int Failures
        {
            set => Volatile.Write(ref _failures, value);
        }

        public ValueTask<InterceptionResult> BeforeStoreAsync(InterceptedMessage message, CancellationToken cancellationToken) =>
            Interlocked.Decrement(ref _failures) >= 0 ? throw new InvalidOperationException("The test says so.") : new(InterceptionResult.Continue);
    }
}
