using Im.Fanout;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

/// <summary>Two nodes, each with stores of its own, over one storage. Skipped with its reason where the fixture says that only one may be open.</summary>
public abstract class SeveralNodesSpecification(IStorageFixture fixture) : StorageSpecification(fixture)
{
    private const string Group = "g:team";
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private static readonly Audience Both = To("ann", "bob");
    private StoreSet? _other;

    /// <summary>The second node's stores; opened at the first use.</summary>
    protected async Task<StoreSet> OtherAsync()
    {
        CheckAbility();
        return _other ??= await Fixture.CreateAsync().Soon();
    }

    /// <inheritdoc/>
    public override async Task DisposeAsync()
    {
        if (_other is not null)
        {
            await Fixture.CloseAsync(_other).Soon();
        }

        await base.DisposeAsync();
    }

    /// <summary>Nodes that are started together, also the first time ever, agree on the store's life, so that devices may change between them.</summary>
    [AbilityFact]
    public virtual async Task NodesThatStartTogetherHaveOneGeneration()
    {
        CheckAbility();
        await CloseAsync();
        await Fixture.ResetAsync().Soon();
        var nodes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(async () => await Fixture.CreateAsync()))).Soon();
        try
        {
            var generations = await Task.WhenAll(nodes.Select(node => node.Messages.GetGenerationAsync(CancellationToken.None).Soon())).Soon();
            Assert.Single(generations.Distinct());
            foreach (var node in nodes)
            {
                Assert.True((await node.Messages.AppendAsync(Batch(Message(Direct, "ann", Both)), CancellationToken.None).Soon()).Committed);
            }
        }
        finally
        {
            foreach (var node in nodes)
            {
                await Fixture.CloseAsync(node).Soon();
            }
        }
    }

    /// <summary>A device that reconnects to another node finds what the first one acknowledged.</summary>
    [AbilityFact]
    public virtual async Task WhatOneNodeStoredTheOtherReadsAtOnce()
    {
        var other = await OtherAsync();
        for (var i = 1; i <= 20; i++)
        {
            var (writer, reader) = i % 2 == 0 ? (Stores, other) : (other, Stores);
            var result = await writer.Messages.AppendAsync(Batch(Message(Direct, "ann", Both, id: "m" + i)), CancellationToken.None).Soon();
            Assert.Equal(i, result.Items[0].Seq.Value);
            var page = (await reader.Messages.ReadInboxesAsync([new("bob", new(i - 1), 10)], CancellationToken.None).Soon())[0];
            Assert.Equal(i, page.Head.Head);
            Assert.Equal("m" + i, (await reader.Messages.ReadEntriesAsync(page.Runs, 1000, CancellationToken.None).Soon()).Single().ClientMessageId);
            Assert.Equal(i, (await reader.Conversations.GetSnapshotAsync("bob", CancellationToken.None).Soon()).Seq.Value);
        }
    }

    /// <summary>Traps 1, 11: two nodes append to the same timelines at once: no hole, no overlap, no duplicate, and no error reaches a caller.</summary>
    [AbilityFact]
    public virtual async Task NodesThatAppendToTheSameTimelinesAtOnceBothSucceed()
    {
        var other = await OtherAsync();
        const int Batches = 60;
        var users = To("ann", "bob", "cid", "dan");
        await StoreAsync(Create(Group, FanoutNames.Write, [.. users.UserIds]));
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        StoreSet[] nodes = [Stores, other];
        var writers = nodes.Select((node, n) => Task.Run(async () =>
        {
            await start.Task;
            var known = new Dictionary<TimelineKey, long>();
            for (var b = 0; b < Batches; b++)
            {
                // The nodes touch the same rows in opposite orders.
                AppendItem[] items =
                [
                    Message(Group, "ann", users, version: 1, id: $"{n}.{b}a"),
                    Message(Direct, "bob", Both, id: $"{n}.{b}b"),
                    Message(ConversationId.Direct("cid", "dan"), "dan", To("cid", "dan"), id: $"{n}.{b}c"),
                ];
                if (n == 1)
                {
                    Array.Reverse(items);
                }

                while (true)
                {
                    var batch = Batch(items, timeline => known.GetValueOrDefault(timeline, ISequenceAllocator.Unknown), "node" + n);
                    var result = await node.Messages.AppendAsync(batch, CancellationToken.None);
                    for (var t = 0; t < batch.Timelines.Count; t++)
                    {
                        known[batch.Timelines[t]] = result.Heads.Span[t];
                    }

                    if (result.Committed)
                    {
                        Assert.All(result.Items, item => Assert.Equal(AppendOutcome.Stored, item.Outcome));
                        break;
                    }

                    await Task.Yield();
                }
            }
        })).ToArray();
        start.SetResult();
        await Task.WhenAll(writers).Soon();

        foreach (var (user, directs) in new[] { ("ann", 1), ("bob", 1), ("cid", 1), ("dan", 1) })
        {
            var inbox = await InboxAsync(user);
            Assert.Equal(1 + (2 * Batches * (1 + directs)), inbox.Count);
            Assert.Equal(inbox.Count, (await HeadAsync(TimelineKey.Inbox(user))).Head);
            Assert.Equal(inbox.Count, Ids(inbox).Distinct().Count());
            Assert.All(inbox.Skip(1), entry => Assert.False(entry.IsGone));
            foreach (var conversation in inbox.GroupBy(entry => entry.ConversationId))
            {
                Assert.Equal(Enumerable.Range(1, conversation.Count()).Select(i => (long)i), conversation.Select(entry => entry.Seq.Value));
            }
        }

        for (var n = 0; n < 2; n++)
        {
            // A node's own sends to one conversation stand there in the order in which it appended them.
            var group = (await InboxAsync("ann")).Where(entry => entry.ConversationId == Group && entry.ClientMessageId.StartsWith($"{n}."));
            Assert.Equal(Enumerable.Range(0, Batches).Select(b => $"{n}.{b}a"), Ids(group));
        }
    }

    /// <summary>Trap 2: a client that resends through another node, while the first one still works on it, has sent it once.</summary>
    [AbilityFact]
    public virtual async Task TheSameMessageThroughTwoNodesIsStoredOnce()
    {
        var other = await OtherAsync();
        for (var i = 0; i < 40; i++)
        {
            var item = Message(Direct, "ann", Both, id: "m" + i);
            var results = await Task.WhenAll(new[] { Stores, other }.Select((node, n) => Task.Run(async () =>
                (await node.Messages.AppendAsync(Batch([item], null, "node" + n), CancellationToken.None)).Items[0]))).Soon();
            Assert.Equal([AppendOutcome.Stored, AppendOutcome.Duplicate], results.Select(result => result.Outcome).Order());
            Assert.Equal([i + 1L, i + 1L], results.Select(result => result.Seq.Value));
        }

        Assert.Equal(40, (await InboxAsync("bob")).Count);
    }

    /// <summary>Trap 3: who was removed through one node sends nothing through another that has not heard of it.</summary>
    [AbilityFact]
    public virtual async Task AnAppendValidatedAgainstAnOldMembershipVersionIsRefusedByTheOtherNode()
    {
        var other = await OtherAsync();
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        await other.Messages.AppendAsync(Batch(Message(Group, "bob", Both, version: 1)), CancellationToken.None).Soon();
        await StoreAsync(Change(Group, "ann", Both, 1, new ConversationChange.ChangeMembers([], ["bob"])));

        var late = await other.Messages.AppendAsync(
            Batch(Message(Group, "bob", Both, version: 1), Message(Direct, "bob", Both)), CancellationToken.None).Soon();

        Assert.Equal([AppendOutcome.StaleVersion, AppendOutcome.Stored], late.Items.Select(item => item.Outcome));
        Assert.Equal(2, late.Items[0].Version);
        Assert.Equal(["ann"], (await other.Groups.GetGroupsAsync([Group], int.MaxValue, CancellationToken.None).Soon())[0]!.Members.ToArray());
    }

    /// <summary>A change and a message that race each other: the message came before it, or it is refused; never in between.</summary>
    [AbilityFact]
    public virtual async Task AMessageThatRacesARemovalIsBeforeItOrRefused()
    {
        var other = await OtherAsync();
        for (var i = 0; i < 25; i++)
        {
            var group = "g:" + i;
            await StoreAsync(Create(group, FanoutNames.Write, "ann", "bob"));
            var removal = Task.Run(() => AppendOneAsync(
                Stores, Change(group, "ann", Both, 1, new ConversationChange.ChangeMembers([], ["bob"]))));
            var message = Task.Run(() => AppendOneAsync(other, Message(group, "bob", Both, version: 1)));
            var (removed, sent) = (await removal.Soon(), await message.Soon());
            Assert.Equal(AppendOutcome.Stored, removed.Outcome);
            if (sent.Outcome == AppendOutcome.Stored)
            {
                Assert.Equal((2L, 3L), (sent.Seq.Value, removed.Seq.Value));
            }
            else
            {
                Assert.Equal((AppendOutcome.StaleVersion, 2L), (sent.Outcome, removed.Seq.Value));
            }
        }
    }

    /// <summary>Two hosts that create the same group make one.</summary>
    [AbilityFact]
    public virtual async Task AGroupThatTwoNodesCreateAtOnceIsCreatedOnce()
    {
        var other = await OtherAsync();
        for (var i = 0; i < 20; i++)
        {
            var (one, two) = (Create("g:" + i, FanoutNames.Write, "ann", "bob"), Create("g:" + i, FanoutNames.Write, "bob", "cid"));
            var results = await Task.WhenAll(
                Task.Run(() => AppendOneAsync(Stores, one)), Task.Run(() => AppendOneAsync(other, two))).Soon();
            Assert.Equal([AppendOutcome.Stored, AppendOutcome.StaleVersion], results.Select(result => result.Outcome).Order());
            Assert.Equal(1, (await HeadAsync(TimelineKey.Conversation("g:" + i))).Head);
        }
    }

    /// <summary>Each node has a log of its own.</summary>
    [AbilityFact]
    public virtual async Task NodesNumberTheirBatchesApart()
    {
        var other = await OtherAsync();
        var mine = Batch([Message(Direct, "ann", Both)], null, "mine");
        await Messages.AppendAsync(mine, CancellationToken.None).Soon();
        var theirs = Batch([Message(Direct, "ann", Both)], null, "theirs");
        await other.Messages.AppendAsync(theirs, CancellationToken.None).Soon();

        Assert.Equal(mine.BatchNumber, await other.Messages.GetLastBatchNumberAsync("mine", CancellationToken.None).Soon());
        Assert.Equal(theirs.BatchNumber, await Messages.GetLastBatchNumberAsync("theirs", CancellationToken.None).Soon());
    }

    /// <summary>Trap 6: acks that reach two nodes at once end at the highest.</summary>
    [AbilityFact]
    public virtual async Task AcksThroughTwoNodesEndAtTheHighest()
    {
        var other = await OtherAsync();
        await AppendAsync([.. Enumerable.Range(0, 30).Select(_ => Message(Direct, "ann", Both))]);
        await Task.WhenAll(Enumerable.Range(1, 30).Reverse().Select(seq => Task.Run(async () =>
            await (seq % 2 == 0 ? Stores : other).Devices.AckAsync(
                [new("bob", "phone", TimelineKey.Inbox("bob"), seq)], CancellationToken.None)))).Soon();

        Assert.Equal(30, await other.Devices.GetAckAsync("bob", "phone", TimelineKey.Inbox("bob"), CancellationToken.None).Soon());
    }

    /// <summary>Who has only written has nothing to read, whatever is written while the mark moves.</summary>
    [AbilityFact]
    public virtual async Task OwnMessagesThroughOneNodeAreNotUnreadWhileTheMarkMovesThroughAnother()
    {
        var other = await OtherAsync();
        await StoreAsync(Create(Group, FanoutNames.Read, "ann", "bob"));
        var isOver = false;
        var writer = Task.Run(async () =>
        {
            for (var i = 0; i < 300; i++)
            {
                // In no inbox: nothing but the conversation's own row keeps the two apart.
                await AppendOneAsync(Stores, Message(Group, "ann", Audience.None, version: 1));
            }

            Volatile.Write(ref isOver, true);
        });
        var counts = new List<long>();
        for (var n = 0; !Volatile.Read(ref isOver); n++)
        {
            // Mostly one that does not move: it waits for nothing, so that it meets the writer at any moment.
            counts.Add((await AppendOneAsync(other, Mark("ann", Group, n % 50 == 0 ? n : 1))).Ordinal);
        }

        await writer.Soon();
        Assert.Equal([0], counts.Distinct());
    }

    /// <summary>Each node cleans up on its own; nodes that do it at once get in nobody's way.</summary>
    [AbilityFact]
    public virtual async Task NodesThatCleanUpAtOnceBothComeToTheEnd()
    {
        var other = await OtherAsync();
        StoreSet[] nodes = [Stores, other];
        if (nodes.Any(node => node.Retention is null))
        {
            throw new MissingAbilityException("The fixture's StoreSet has no Retention (IRetentionStore).");
        }

        const int Entries = 400;
        for (var i = 0; i < Entries; i++)
        {
            await StoreAsync(Message(Direct, "ann", Both));
        }

        var conversations = new RetentionLimits { EntriesPerConversation = 1 };
        var inboxes = new RetentionLimits { EntriesPerInbox = 10, MergeBeforeMs = long.MaxValue, MergedChunkEntries = 4 };
        await Task.WhenAll(nodes.Select(node => Task.Run(async () =>
        {
            await PassAsync(after => node.Retention!.ExpireConversationsAsync(after, conversations, 5, CancellationToken.None));
            await PassAsync(after => node.Retention!.ExpireInboxesAsync(after, inboxes, 5, CancellationToken.None));
        }))).Soon();

        Assert.Equal(new TimelineHead(TimelineKey.Conversation(Direct), Entries, Entries, Entries), await HeadAsync(TimelineKey.Conversation(Direct)));
        Assert.Equal(new TimelineHead(TimelineKey.Inbox("bob"), Entries, Entries - 9, 0), await HeadAsync(TimelineKey.Inbox("bob")));
        Assert.Equal(10, (await InboxAsync("bob")).Count);

        static async Task PassAsync(Func<string?, ValueTask<RetentionBite>> bite)
        {
            for (string? after = null, next; ; after = next)
            {
                var done = await bite(after);
                Assert.False(done.Next is not null && done == new RetentionBite(after), $"The pass stands still at \"{after}\".");
                if ((next = done.Next) is null)
                {
                    return;
                }
            }
        }
    }

    private void CheckAbility()
    {
        if (Fixture.OneNodeOnly is { } reason)
        {
            throw new MissingAbilityException($"One node only: {reason}");
        }
    }

    private static async Task<AppendItemResult> AppendOneAsync(StoreSet node, AppendItem item) =>
        (await node.Messages.AppendAsync(Batch(item), CancellationToken.None)).Items[0];
}
