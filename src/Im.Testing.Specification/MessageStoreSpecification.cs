using System.Text;
using Im.Fanout;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="IMessageStore"/>.</summary>
public abstract partial class MessageStoreSpecification(IStorageFixture fixture) : StorageSpecification(fixture)
{
    private const string Group = "g:team";
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private static readonly Audience Both = To("ann", "bob");

    /// <summary>A device that has everything up to n knows that nothing below n can still appear.</summary>
    [Fact]
    public virtual async Task EntriesAreNumberedFromOneWithoutHoles()
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

    /// <summary>Nobody's message is altered, and the history says who wrote what, from where and when.</summary>
    [Fact]
    public virtual async Task AnEntryComesBackAsItWasAppended()
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

    /// <summary>Trap 22: "sent" is true at the moment it is said.</summary>
    [Fact]
    public virtual async Task WhatIsAnsweredAsStoredCanBeReadAtOnce()
    {
        for (var i = 1; i <= 20; i++)
        {
            var stored = await StoreAsync(Message(Direct, "ann", Both));
            Assert.Equal(i, (await ExpandAsync([new Run(Direct, stored.Seq, 1)])).Single().Seq.Value);
            Assert.Equal(i, (await InboxAsync("bob")).Count);
        }
    }

    /// <summary>Trap 2: a lost ack and a resend make neither a lost nor a doubled message.</summary>
    [Fact]
    public virtual async Task AppendingTheSameClientMessageIdTwiceStoresItOnce()
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

    /// <summary>Trap 2: also when the resend catches up with the original.</summary>
    [Fact]
    public virtual async Task TheSameClientMessageIdTwiceInOneBatchStoresItOnce()
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

    /// <summary>Trap 2: the answer to a resend does not depend on what has changed since.</summary>
    [Fact]
    public virtual async Task ADuplicateIsAnsweredThoughItsVersionIsStaleNow()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        var original = await StoreAsync(Message(Group, "ann", Both, version: 1, id: "x"));
        await StoreAsync(Change(Group, "bob", Both, 1, new ConversationChange.ChangeMembers([], ["ann"])));

        var again = (await AppendAsync(Message(Group, "ann", Both, version: 1, id: "x"))).Items[0];

        Assert.Equal((AppendOutcome.Duplicate, original.Seq, original.TimeMs), (again.Outcome, again.Seq, again.TimeMs));
    }

    /// <summary>A client whose ids repeat is told so; its second message is not taken for the first.</summary>
    [Fact]
    public virtual async Task AnIdThatStandsForAnotherMessageIsRefused()
    {
        await StoreAsync(Message(Direct, "ann", Both, id: "x"));

        Assert.Equal(AppendOutcome.ClientIdReused, await OutcomeAsync(Message(Direct, "ann", Both, id: "x", body: "another")));
        Assert.Equal(1, (await HeadAsync(TimelineKey.Conversation(Direct))).Head);
    }

    /// <summary>Trap 20: no key is narrower than the promise; two people may use the same ids and write as often as they like.</summary>
    [Fact]
    public virtual async Task IdsAreUniquePerSenderOnlyAndComparedByteByByte()
    {
        string[] ids = ["x", "X", "x ", " x", "x\u0301", "ё", "е"];
        foreach (var id in ids)
        {
            await StoreAsync(Message(Direct, "ann", Both, id: id));
            await StoreAsync(Message(Direct, "bob", Both, id: id));
        }

        Assert.Equal(2 * ids.Length, (await InboxAsync("ann")).Count);
    }

    /// <summary>Nobody reads another one's messages because two names look alike to a collation.</summary>
    [Fact]
    public virtual async Task UsersAndConversationsAreComparedByteByByte()
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

    /// <summary>A refusal can be checked against what is stored, in one call for many.</summary>
    [Fact]
    public virtual async Task SentMessagesAreFoundByTheirIds()
    {
        var item = Message(Direct, "ann", Both, id: "x", timeMs: 5);
        await StoreAsync(item);

        var found = await Messages.FindSentAsync(
            [new("bob", "x"), new("ann", "x"), new("ann", "y")], CancellationToken.None).Soon();

        Assert.Equal([null, new SentMessage(Direct, new ConversationSeq(1), 5, item.Hash), null], found);
    }

    /// <summary>Traps 3, 11, 12: a proposal that is wrong, in either direction, costs a retry and nothing else.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public virtual async Task AStaleHeadAppendsNothing(long proposed)
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

    /// <summary>Trap 3: who has been removed gets nothing and sends nothing, however old the sender's view of the group is.</summary>
    [Fact]
    public virtual async Task AStaleVersionRefusesItsItemOnlyAndClaimsNoId()
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

    /// <summary>Trap 3: the place in the conversation decides who gets a message, also inside one commit.</summary>
    [Fact]
    public virtual async Task AfterAChangeInABatchTheOldVersionIsStale()
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

    /// <summary>Trap 3: no OK for a message that nobody could ever read.</summary>
    [Fact]
    public virtual async Task AMessageIntoAGroupThatDoesNotExistIsRefused()
    {
        Assert.Equal(AppendOutcome.StaleVersion, await OutcomeAsync(Message(Group, "ann", Both)));
        Assert.Equal(AppendOutcome.StaleVersion, await OutcomeAsync(Message(Group, "ann", Both, version: 1)));
        Assert.Equal(0, (await HeadAsync(TimelineKey.Conversation(Group))).Head);
        Assert.Equal(0, (await HeadAsync(TimelineKey.Inbox("ann"))).Head);
    }

    /// <summary>A caller's mistake is an exception, not half a commit.</summary>
    [Fact]
    public virtual async Task ABatchThatLeavesOutATimelineThrowsAndAppendsNothing()
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

    /// <summary>What stops a server in the middle never leaves a conversation half written.</summary>
    [Fact]
    public virtual async Task ACancelledAppendLeavesAllOrNothing()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Messages.AppendAsync(Batch(Message(Direct, "ann", Both)), new CancellationToken(canceled: true)).Soon());

        var head = (await HeadAsync(TimelineKey.Conversation(Direct))).Head;
        Assert.Equal(head, (await HeadAsync(TimelineKey.Inbox("ann"))).Head);
        Assert.Equal(head, (await InboxAsync("bob")).Count);
    }

    /// <summary>Trap 4: two counters, and no way to confuse them.</summary>
    [Fact]
    public virtual async Task ConversationAndInboxAreCountedApart()
    {
        var other = ConversationId.Direct("ann", "cid");
        await AppendAsync(Message(Direct, "ann", Both), Message(Direct, "ann", Both), Message(Direct, "ann", Both));
        var result = await AppendAsync(Message(other, "cid", To("ann", "cid")));

        Assert.Equal(1, result.Items[0].Seq.Value);
        Assert.Equal(
            [("ann", 4L), ("cid", 1L)],
            result.Classes.SelectMany(c => c.UserIds.Select((user, i) => (user, c.FirstSeqs.Span[i]))).Order());
    }

    /// <summary>Everybody of the audience gets it, once; the pushes say where it stands in each inbox.</summary>
    [Fact]
    public virtual async Task ClassesTellWhatEveryInboxGot()
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

    /// <summary>A conversation reads in the order in which it was written, on every device.</summary>
    [Fact]
    public virtual async Task MessagesOfAConversationStandInItsOrderInEveryInbox()
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

    /// <summary>Fan-out on read: the message is stored for all, and no inbox grows.</summary>
    [Fact]
    public virtual async Task AnItemForNobodyIsAppendedToItsConversationOnly()
    {
        await StoreAsync(Create(Group, FanoutNames.Read, "ann", "bob"));
        var result = await AppendAsync(Message(Group, "ann", Audience.None, version: 1, id: "x"));

        Assert.Empty(result.Classes);
        Assert.Equal("x", (await ExpandAsync(result.Runs)).Single().ClientMessageId);
        Assert.Single(await InboxAsync("bob"));
    }

    /// <summary>Devices keep their cursors as long as the store lives.</summary>
    [Fact]
    public virtual async Task TheGenerationStays()
    {
        var generation = await Messages.GetGenerationAsync(CancellationToken.None).Soon();
        await StoreAsync(Message(Direct, "ann", Both));

        Assert.NotEmpty(generation);
        Assert.Equal(generation, await Messages.GetGenerationAsync(CancellationToken.None).Soon());
    }
}
