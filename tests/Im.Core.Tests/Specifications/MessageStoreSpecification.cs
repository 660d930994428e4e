using System.Text;
using Im.Fanout;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="IMessageStore"/>.</summary>
public abstract class MessageStoreSpecification(IStorageFixture fixture) : StorageSpecification(fixture)
{
    private const string Group = "g:team";
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private static readonly Audience Both = To("ann", "bob");

    // A device that has everything up to n knows that nothing below n can still appear.
    [Fact]
    public async Task EntriesAreNumberedFromOneWithoutHoles()
    {
        var first = await AppendAsync(Message(Direct, "ann", Both, id: "1"), Message(Direct, "bob", Both, id: "2"));
        var second = await AppendAsync(Message(Direct, "ann", Both, id: "3"));

        Assert.Equal([1L, 2L], first.Items.Select(item => item.Seq.Value));
        Assert.Equal([1L, 2L], first.Items.Select(item => item.Ordinal));
        Assert.Equal(3, second.Items[0].Seq.Value);
        Assert.Equal([new Run(Direct, new ConversationSeq(1), 2)], first.Runs);
        Assert.Equal([2L, 2L, 2L], first.Heads.ToArray());
        Assert.Equal([3L, 3L, 3L], second.Heads.ToArray());
        Assert.Equal(new TimelineHead(TimelineKey.Conversation(Direct), 3, 1, 3), await HeadAsync(TimelineKey.Conversation(Direct)));
        Assert.Equal(new TimelineHead(TimelineKey.Inbox("ann"), 3, 1, 0), await HeadAsync(TimelineKey.Inbox("ann")));
        Assert.Equal(["1", "2", "3"], Ids(await InboxAsync("bob")));
    }

    // Nobody's message is altered, and the history says who wrote what, from where and when.
    [Fact]
    public async Task AnEntryComesBackAsItWasAppended()
    {
        await StoreAsync(Message(Direct, "ann", Both, id: "first", counts: false));
        await StoreAsync(Message(Direct, "bob", Both, id: "x", body: "héllo", timeMs: 77, deviceId: "web"));

        var entry = (await ExpandAsync([new Run(Direct, new ConversationSeq(2), 1)])).Single();

        Assert.Equal(
            (Direct, 2L, 1L, "bob", "web", "x", 77L, EntryKind.Message, false),
            (entry.ConversationId, entry.Seq.Value, entry.Ordinal, entry.SenderId, entry.SenderDeviceId, entry.ClientMessageId,
                entry.TimeMs, entry.Kind, entry.IsGone));
        Assert.Equal("héllo", Encoding.UTF8.GetString(entry.Body.Span));
    }

    // Trap 22: "sent" is true at the moment it is said.
    [Fact]
    public async Task WhatIsAnsweredAsStoredCanBeReadAtOnce()
    {
        for (var i = 1; i <= 20; i++)
        {
            var stored = await StoreAsync(Message(Direct, "ann", Both));
            Assert.Equal(i, (await ExpandAsync([new Run(Direct, stored.Seq, 1)])).Single().Seq.Value);
            Assert.Equal(i, (await InboxAsync("bob")).Count);
        }
    }

    // Trap 2: a lost ack and a resend make neither a lost nor a doubled message.
    [Fact]
    public async Task AppendingTheSameClientMessageIdTwiceStoresItOnce()
    {
        await StoreAsync(Message(Direct, "bob", Both));
        var original = await StoreAsync(Message(Direct, "ann", Both, id: "x", timeMs: 5));
        await StoreAsync(Message(Direct, "bob", Both));

        var result = await AppendAsync(Message(Direct, "ann", Both, id: "x", timeMs: 9));

        Assert.Equal(original with { Outcome = AppendOutcome.Duplicate }, result.Items[0]);
        Assert.Empty(result.Runs);
        Assert.Empty(result.Classes);
        Assert.Equal(3, (await HeadAsync(TimelineKey.Conversation(Direct))).Head);
        Assert.Equal(3, (await InboxAsync("bob")).Count);
    }

    // Trap 2: also when the resend catches up with the original.
    [Fact]
    public async Task TheSameClientMessageIdTwiceInOneBatchStoresItOnce()
    {
        var result = await AppendAsync(
            Message(Direct, "ann", Both, id: "x"),
            Message(Direct, "ann", Both, id: "x"),
            Message(Direct, "ann", Both, id: "x", body: "another"),
            Message(Direct, "ann", Both, id: "y"));

        Assert.Equal(
            [AppendOutcome.Stored, AppendOutcome.Duplicate, AppendOutcome.ClientIdReused, AppendOutcome.Stored],
            result.Items.Select(item => item.Outcome));
        Assert.Equal([1L, 1L, 0L, 2L], result.Items.Select(item => item.Seq.Value));
        Assert.Equal(["x", "y"], Ids(await InboxAsync("ann")));
    }

    // Trap 2: the answer to a resend does not depend on what has changed since.
    [Fact]
    public async Task ADuplicateIsAnsweredThoughItsVersionIsStaleNow()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        var original = await StoreAsync(Message(Group, "ann", Both, version: 1, id: "x"));
        await StoreAsync(Change(Group, "bob", Both, 1, new ConversationChange.ChangeMembers([], ["ann"])));

        var again = (await AppendAsync(Message(Group, "ann", Both, version: 1, id: "x"))).Items[0];

        Assert.Equal((AppendOutcome.Duplicate, original.Seq, original.TimeMs), (again.Outcome, again.Seq, again.TimeMs));
    }

    // A client whose ids repeat is told so; its second message is not taken for the first.
    [Fact]
    public async Task AnIdThatStandsForAnotherMessageIsRefused()
    {
        await StoreAsync(Message(Direct, "ann", Both, id: "x"));

        Assert.Equal(AppendOutcome.ClientIdReused, await OutcomeAsync(Message(Direct, "ann", Both, id: "x", body: "another")));
        Assert.Equal(1, (await HeadAsync(TimelineKey.Conversation(Direct))).Head);
    }

    // Trap 20: no key is narrower than the promise; two people may use the same ids and write as often as they like.
    [Fact]
    public async Task IdsAreUniquePerSenderOnlyAndComparedByteByByte()
    {
        string[] ids = ["x", "X", "x ", " x", "x\u0301", "ё", "е"];
        foreach (var id in ids)
        {
            await StoreAsync(Message(Direct, "ann", Both, id: id));
            await StoreAsync(Message(Direct, "bob", Both, id: id));
        }

        Assert.Equal(2 * ids.Length, (await InboxAsync("ann")).Count);
    }

    // Nobody reads another one's messages because two names look alike to a collation.
    [Fact]
    public async Task UsersAndConversationsAreComparedByteByByte()
    {
        string[] users = ["user", "User", "user ", "usér", "use\u0301r"];
        foreach (var user in users)
        {
            await StoreAsync(Message(ConversationId.Own(user), user, To(user), body: user));
        }

        foreach (var user in users)
        {
            Assert.Equal(user, Encoding.UTF8.GetString((await InboxAsync(user)).Single().Body.Span));
        }
    }

    // A refusal can be checked against what is stored, in one call for many.
    [Fact]
    public async Task SentMessagesAreFoundByTheirIds()
    {
        var item = Message(Direct, "ann", Both, id: "x", timeMs: 5);
        await StoreAsync(item);

        var found = await Messages.FindSentAsync(
            [new("bob", "x"), new("ann", "x"), new("ann", "y")], CancellationToken.None).Soon();

        Assert.Equal([null, new SentMessage(Direct, new ConversationSeq(1), 5, item.Hash), null], found);
    }

    // Traps 3, 11, 12: a proposal that is wrong, in either direction, costs a retry and nothing else.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task AStaleHeadAppendsNothing(long proposed)
    {
        await AppendAsync(Message(Direct, "ann", Both), Message(Direct, "bob", Both));
        var item = Message(Direct, "ann", Both, id: "x");
        foreach (var stale in new[] { TimelineKey.Conversation(Direct), TimelineKey.Inbox("ann"), TimelineKey.Inbox("bob") })
        {
            var refused = await Messages
                .AppendAsync(Batch([item], timeline => timeline == stale ? proposed : 2), CancellationToken.None).Soon();

            Assert.False(refused.Committed);
            Assert.Empty(refused.Items);
            Assert.Equal([2L, 2L, 2L], refused.Heads.ToArray());
            Assert.Equal(2, (await InboxAsync("ann")).Count);
            Assert.Null((await Messages.FindSentAsync([new("ann", "x")], CancellationToken.None).Soon())[0]);
        }

        var retried = await Messages.AppendAsync(Batch([item], _ => 2), CancellationToken.None).Soon();
        Assert.Equal((true, 3L), (retried.Committed, retried.Items[0].Seq.Value));
    }

    // Trap 3: who has been removed gets nothing and sends nothing, however old the sender's view of the group is.
    [Fact]
    public async Task AStaleVersionRefusesItsItemOnlyAndClaimsNoId()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));

        var result = await AppendAsync(
            Message(Group, "ann", Both, version: 1, id: "a"),
            Message(Group, "ann", Both, version: 2, id: "b"),
            Message(Group, "ann", Both, version: 0, id: "c"),
            Message(Group, "ann", Both, version: 1, id: "d"));

        Assert.Equal(
            [AppendOutcome.Stored, AppendOutcome.StaleVersion, AppendOutcome.StaleVersion, AppendOutcome.Stored],
            result.Items.Select(item => item.Outcome));
        Assert.Equal([1L, 1L, 1L, 1L], result.Items.Select(item => item.Version));
        Assert.Equal(3, result.Items[3].Seq.Value);
        Assert.Equal(AppendOutcome.Stored, await OutcomeAsync(Message(Group, "ann", Both, version: 1, id: "b")));
    }

    // Trap 3: the place in the conversation decides who gets a message, also inside one commit.
    [Fact]
    public async Task AfterAChangeInABatchTheOldVersionIsStale()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        var onlyAnn = To("ann");

        var result = await AppendAsync(
            Message(Group, "bob", Both, version: 1, id: "before"),
            Change(Group, "ann", Both, 1, new ConversationChange.ChangeMembers([], ["bob"]), id: "remove"),
            Message(Group, "bob", Both, version: 1, id: "late"),
            Message(Group, "ann", onlyAnn, version: 2, id: "after"));

        Assert.Equal(
            [AppendOutcome.Stored, AppendOutcome.Stored, AppendOutcome.StaleVersion, AppendOutcome.Stored],
            result.Items.Select(item => item.Outcome));
        Assert.Equal([1L, 2L, 2L, 2L], result.Items.Select(item => item.Version));
        Assert.Equal(["before", "remove", "after"], Ids(await InboxAsync("ann"))[1..]);
        Assert.Equal(["before", "remove"], Ids(await InboxAsync("bob"))[1..]);
    }

    // Trap 3: no OK for a message that nobody could ever read.
    [Fact]
    public async Task AMessageIntoAGroupThatDoesNotExistIsRefused()
    {
        Assert.Equal(AppendOutcome.StaleVersion, await OutcomeAsync(Message(Group, "ann", Both)));
        Assert.Equal(AppendOutcome.StaleVersion, await OutcomeAsync(Message(Group, "ann", Both, version: 1)));
        Assert.Equal(0, (await HeadAsync(TimelineKey.Conversation(Group))).Head);
        Assert.Equal(0, (await HeadAsync(TimelineKey.Inbox("ann"))).Head);
    }

    // A caller's mistake is an exception, not half a commit.
    [Fact]
    public async Task ABatchThatLeavesOutATimelineThrowsAndAppendsNothing()
    {
        var batch = Batch(Message(Direct, "ann", Both, id: "x"));
        var broken = new AppendBatch
        {
            NodeName = batch.NodeName,
            BatchNumber = batch.BatchNumber,
            Items = batch.Items,
            Timelines = [.. batch.Timelines.Take(2)],
            ProposedHeads = batch.ProposedHeads[..2],
        };

        await Assert.ThrowsAnyAsync<ArgumentException>(() => Messages.AppendAsync(broken, CancellationToken.None).Soon());

        Assert.Equal(0, (await HeadAsync(TimelineKey.Conversation(Direct))).Head);
        Assert.Equal(AppendOutcome.Stored, await OutcomeAsync(Message(Direct, "ann", Both, id: "x")));
    }

    // What stops a server in the middle never leaves a conversation half written.
    [Fact]
    public async Task ACancelledAppendLeavesAllOrNothing()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Messages.AppendAsync(Batch(Message(Direct, "ann", Both)), new CancellationToken(canceled: true)).Soon());

        var head = (await HeadAsync(TimelineKey.Conversation(Direct))).Head;
        Assert.Equal(head, (await HeadAsync(TimelineKey.Inbox("ann"))).Head);
        Assert.Equal(head, (await InboxAsync("bob")).Count);
    }

    // Trap 4: two counters, and no way to confuse them.
    [Fact]
    public async Task ConversationAndInboxAreCountedApart()
    {
        var other = ConversationId.Direct("ann", "cid");
        await AppendAsync(Message(Direct, "ann", Both), Message(Direct, "ann", Both), Message(Direct, "ann", Both));
        var result = await AppendAsync(Message(other, "cid", To("ann", "cid")));

        Assert.Equal(1, result.Items[0].Seq.Value);
        Assert.Equal(
            [("ann", 4L), ("cid", 1L)],
            result.Classes.SelectMany(c => c.UserIds.Select((user, i) => (user, c.FirstSeqs.Span[i]))).Order());
    }

    // Everybody of the audience gets it, once; the pushes say where it stands in each inbox.
    [Fact]
    public async Task ClassesTellWhatEveryInboxGot()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob", "cid"));
        var three = To("ann", "bob", "cid");
        var result = await AppendAsync(
            Message(Group, "ann", three, version: 1, id: "1"),
            Message(Direct, "ann", Both, id: "2"),
            Message(Group, "ann", three, version: 1, id: "3"),
            Message(ConversationId.Own("ann"), "ann", To("ann"), id: "4"),
            Message(Group, "bob", Audience.None, version: 1, id: "nobody"));

        var users = result.Classes.SelectMany(c => c.UserIds).ToList();
        Assert.Equal(["ann", "bob", "cid"], users.Order());
        foreach (var c in result.Classes)
        {
            var entries = Ids(await ExpandAsync(c.Runs));
            for (var i = 0; i < c.UserIds.Count; i++)
            {
                Assert.Equal(2, c.FirstSeqs.Span[i]);
                Assert.Equal(entries, Ids(await InboxAsync(c.UserIds[i]))[1..]);
            }
        }

        Assert.Equal(["1", "2", "3", "4"], Ids(await InboxAsync("ann"))[1..].Order());
        Assert.Equal(["1", "3"], Ids(await InboxAsync("cid"))[1..]);
        Assert.Equal(5, result.Runs.Sum(run => run.Count));
    }

    // A conversation reads in the order in which it was written, on every device.
    [Fact]
    public async Task MessagesOfAConversationStandInItsOrderInEveryInbox()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob", "cid"));
        var (three, two) = (To("ann", "bob", "cid"), To("ann", "bob"));
        var items = Enumerable.Range(0, 30).Select(i => (i % 3) switch
        {
            0 => Message(Group, "ann", three, version: 1),
            1 => Message(Group, "ann", two, version: 1),
            _ => Message(Direct, "bob", Both),
        });
        await AppendAsync([.. items]);

        foreach (var user in new[] { "ann", "bob", "cid" })
        {
            foreach (var conversation in (await InboxAsync(user)).GroupBy(entry => entry.ConversationId))
            {
                Assert.Equal(conversation.Select(entry => entry.Seq.Value).Order(), conversation.Select(entry => entry.Seq.Value));
            }
        }
    }

    // Fan-out on read: the message is stored for all, and no inbox grows.
    [Fact]
    public async Task AnItemForNobodyIsAppendedToItsConversationOnly()
    {
        await StoreAsync(Create(Group, FanoutNames.Read, "ann", "bob"));
        var result = await AppendAsync(Message(Group, "ann", Audience.None, version: 1, id: "x"));

        Assert.Empty(result.Classes);
        Assert.Equal("x", (await ExpandAsync(result.Runs)).Single().ClientMessageId);
        Assert.Single(await InboxAsync("bob"));
    }

    // Trap 1: a page goes on exactly where the device stopped, wherever a commit began.
    [Fact]
    public async Task APageGoesOnBehindAnyCursor()
    {
        var other = ConversationId.Direct("ann", "cid");
        for (var i = 0; i < 5; i++)
        {
            await AppendAsync(
                Message(Direct, "ann", Both), Message(Direct, "bob", Both), Message(other, "ann", To("ann", "cid")), Message(Direct, "ann", Both));
        }

        var all = Ids(await InboxAsync("ann"));
        Assert.Equal(20, all.Length);
        for (var after = 0; after < 20; after++)
        {
            for (var limit = 1; limit <= 21 - after; limit++)
            {
                var page = await ReadAsync("ann", after, limit);
                Assert.Equal(after + 1, page.First.Value);
                Assert.Equal(20, page.Head.Head);
                Assert.Equal(all.Skip(after).Take(limit), Ids(await ExpandAsync(page.Runs)));
            }
        }
    }

    // A device that has everything is told so, and many inboxes are read in one call.
    [Fact]
    public async Task APageAtTheHeadIsEmpty()
    {
        await StoreAsync(Message(Direct, "ann", Both));

        var pages = await Messages.ReadInboxesAsync(
            [new("ann", new(1), 10), new("nobody", new(0), 10), new("bob", new(0), 10)], CancellationToken.None).Soon();

        Assert.Equal([2L, 1L, 1L], pages.Select(page => page.First.Value));
        Assert.Equal([0, 0, 1], pages.Select(page => page.Runs.Count));
        Assert.Equal([1L, 0L, 1L], pages.Select(page => page.Head.Head));
        Assert.Equal(TimelineHead.Empty(TimelineKey.Inbox("nobody")), pages[1].Head);
    }

    // Trap 24: a few huge messages make small pages, and a page is never empty for that.
    [Fact]
    public async Task EntriesAreLimitedInBytesButAtLeastOneIsRead()
    {
        for (var i = 0; i < 5; i++)
        {
            await StoreAsync(Message(Direct, "ann", Both, body: new string('x', 100)));
        }

        Run[] runs = [new(Direct, new(1), 2), new(Direct, new(3), 3)];
        foreach (var (bytes, count) in new[] { (0, 1), (1, 1), (100, 1), (199, 1), (200, 2), (350, 3), (500, 5), (10_000, 5) })
        {
            Assert.Equal(Enumerable.Range(1, count).Select(i => (long)i), (await ExpandAsync(runs, bytes)).Select(e => e.Seq.Value));
        }
    }

    // Nobody is shown an entry that does not exist; a caller that asks for one has a bug.
    [Fact]
    public async Task ARunBeyondTheHeadThrows()
    {
        await StoreAsync(Message(Direct, "ann", Both));

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => ExpandAsync([new Run(Direct, new(1), 2)]));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => ExpandAsync([new Run(Direct, new(1), 1), new Run("g:none", new(1), 1)]));
    }

    // What was erased leaves its place: cursors go on, and nobody reads it any more.
    [Fact]
    public async Task AnEntryWhoseBodyIsGoneKeepsItsPlace()
    {
        await AppendAsync(
            Message(Direct, "ann", Both, id: "1"), Message(Direct, "ann", Both, id: "2"), Message(Direct, "ann", Both, id: "3"));
        await Fixture.DropBodyAsync(Direct, new ConversationSeq(2)).Soon();

        var entries = await InboxAsync("bob");

        Assert.Equal([1L, 2L, 3L], entries.Select(entry => entry.Seq.Value));
        Assert.Equal([false, true, false], entries.Select(entry => entry.IsGone));
        Assert.Equal(0, entries[1].Body.Length);
        Assert.Equal(3, (await HeadAsync(TimelineKey.Conversation(Direct))).Ordinal);
    }

    // Devices keep their cursors as long as the store lives.
    [Fact]
    public async Task TheGenerationStays()
    {
        var generation = await Messages.GetGenerationAsync(CancellationToken.None).Soon();
        await StoreAsync(Message(Direct, "ann", Both));

        Assert.NotEmpty(generation);
        Assert.Equal(generation, await Messages.GetGenerationAsync(CancellationToken.None).Soon());
    }

    // Traps 1, 11: several writers with old views of the heads: nothing lost, nothing doubled, no hole, no overlap.
    [Fact]
    public async Task ConcurrentAppendsWithStaleHeadsLoseNothing()
    {
        const int Writers = 8;
        const int BatchesEach = 40;
        var everyone = To([.. Enumerable.Range(0, Writers).Select(i => "w" + i)]);
        await StoreAsync(Create(Group, FanoutNames.Write, [.. everyone.UserIds]));
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writers = Enumerable.Range(0, Writers).Select(async w =>
        {
            await start.Task;
            var known = new Dictionary<TimelineKey, long>();
            var claimed = new List<(string Id, long Seq)>();
            for (var b = 0; b < BatchesEach; b++)
            {
                var id = $"{w}.{b}";
                AppendItem[] items =
                [
                    Message(Group, "w" + w, everyone, version: 1, id: id + "a"),
                    Message(ConversationId.Direct("w0", "w" + w), "w" + w, To([.. new[] { "w0", "w" + w }.Distinct()]), id: id + "b"),
                    Message(Group, "w" + w, everyone, version: 1, id: id + "c"),
                ];
                while (true)
                {
                    var batch = Batch(items, timeline => known.GetValueOrDefault(timeline));
                    var result = await Messages.AppendAsync(batch, CancellationToken.None);
                    for (var t = 0; t < batch.Timelines.Count; t++)
                    {
                        known[batch.Timelines[t]] = result.Heads.Span[t];
                    }

                    if (result.Committed)
                    {
                        Assert.All(result.Items, item => Assert.Equal(AppendOutcome.Stored, item.Outcome));
                        claimed.Add((items[0].ClientMessageId, result.Items[0].Seq.Value));
                        claimed.Add((items[2].ClientMessageId, result.Items[2].Seq.Value));
                        break;
                    }

                    await Task.Yield();
                }
            }

            return claimed;
        }).ToArray();
        start.SetResult();
        var all = (await Task.WhenAll(writers).Soon()).SelectMany(claimed => claimed).ToList();

        // Group entry 1 is its creation.
        Assert.Equal(Enumerable.Range(2, Writers * BatchesEach * 2).Select(i => (long)i), all.Select(sent => sent.Seq).Order());
        var entries = await ExpandAsync([new Run(Group, new(1), 1 + all.Count)]);
        Assert.All(all, sent => Assert.Equal(sent.Id, entries[(int)sent.Seq - 1].ClientMessageId));
        foreach (var user in everyone.UserIds)
        {
            var inbox = await InboxAsync(user);
            var expected = 1 + all.Count + (user == "w0" ? Writers : 1) * BatchesEach;
            Assert.Equal(expected, (await HeadAsync(TimelineKey.Inbox(user))).Head);
            Assert.Equal(expected, Ids(inbox).Distinct().Count());
            var group = inbox.Where(entry => entry.ConversationId == Group).Select(entry => entry.Seq.Value).ToList();
            Assert.Equal(Enumerable.Range(1, 1 + all.Count).Select(i => (long)i), group);
        }
    }

    // Trap 1: whoever sees a head can read all up to it, at any moment.
    [Fact]
    public async Task ReadersNeverSeeAHole()
    {
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                await AppendAsync(Message(Direct, "ann", Both), Message(Direct, "bob", Both));
            }

            await stop.CancelAsync();
        });
        long reads = 0;
        do
        {
            var cursor = 0L;
            for (var page = await ReadAsync("bob", cursor, 7); page.Runs.Count > 0; page = await ReadAsync("bob", cursor, 7))
            {
                var entries = await ExpandAsync(page.Runs);
                Assert.Equal(Enumerable.Range((int)cursor + 1, entries.Count).Select(i => (long)i), entries.Select(e => e.Seq.Value));
                Assert.True(entries.Count == 7 || cursor + entries.Count == page.Head.Head);
                cursor += entries.Count;
                reads++;
            }
        }
        while (!stop.IsCancellationRequested);

        await writer.Soon();
        Assert.True(reads > 0);
        Assert.Equal(1000, (await InboxAsync("bob")).Count);
    }
}
