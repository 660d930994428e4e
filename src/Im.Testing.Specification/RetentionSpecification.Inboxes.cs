using Im.Fanout;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

public abstract partial class RetentionSpecification
{
    /// <summary>A device whose cursor is below the floor is told so, instead of being served with a hole.</summary>
    [AbilityFact]
    public virtual async Task AnInboxPageNeverBeginsBelowTheFloor()
    {
        for (var i = 0; i < 10; i++)
        {
            await AppendAsync(Message(Direct, "ann", Both, id: $"{i}a"), Message(Direct, "ann", Both, id: $"{i}b"));
        }

        var all = Ids(await InboxAsync("bob"));
        var done = await ExpireInboxesAsync(new RetentionLimits { EntriesPerInbox = 5 });
        var (head, floor) = await FloorAsync(TimelineKey.Inbox("bob"));
        Assert.Equal(20, head);

        // At least as many as asked for are kept; chunks are forgotten whole.
        Assert.InRange(floor, 2, 16);
        Assert.InRange(done.DeletedChunks, 1, int.MaxValue);
        for (var after = 0; after <= 20; after++)
        {
            var page = await ReadAsync("bob", after, 4);
            var first = Math.Max(after + 1, floor);
            Assert.Equal((first, floor), (page.First.Value, page.Head.Floor));
            var expected = all.Skip((int)first - 1).Take(4);
            Assert.Equal(expected, page.Runs.Count == 0 ? [] : Ids(await ExpandAsync(page.Runs)));
        }

        // Conversations are another matter.
        Assert.Equal((20L, 1L), await FloorAsync(TimelineKey.Conversation(Direct)));
    }

    /// <summary>An inbox may be forgotten by time, down to nothing; what comes next goes on with the next seq.</summary>
    [AbilityFact]
    public virtual async Task AnInboxThatIsForgottenGoesOnWithTheNextSeq()
    {
        await FillAsync(10);
        await StoreAsync(Message(Direct, "ann", Both, id: "young", timeMs: 9000));
        await ExpireInboxesAsync(new RetentionLimits { InboxesBeforeMs = 5000 });
        var (head, floor) = await FloorAsync(TimelineKey.Inbox("bob"));
        Assert.Equal(11, head);
        Assert.InRange(floor, 2, 11);

        await ExpireInboxesAsync(new RetentionLimits { InboxesBeforeMs = long.MaxValue });
        Assert.Equal((11L, 12L), await FloorAsync(TimelineKey.Inbox("bob")));
        var empty = await ReadAsync("bob");
        Assert.Equal((12L, 0), (empty.First.Value, empty.Runs.Count));
        var next = await AppendAsync(Message(Direct, "ann", Both, id: "next"));
        Assert.Equal([12L, 12L], next.Classes.SelectMany(c => c.FirstSeqs.ToArray()));
        Assert.Equal(["next"], Ids(await InboxAsync("bob")));
        Assert.Equal(12, (await Conversations.GetSnapshotAsync("bob", CancellationToken.None).Soon()).Seq.Value);
    }

    /// <summary>Merging is book-keeping: from every cursor the same entries are read.</summary>
    [AbilityFact]
    public virtual async Task MergedChunksReadTheSameRuns()
    {
        var other = ConversationId.Direct("bob", "cid");
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        for (var i = 0; i < 30; i++)
        {
            await StoreAsync((i % 4) switch
            {
                0 or 1 => Message(Group, "ann", Both, version: 1),
                2 => Message(Direct, "ann", Both),
                _ => Message(other, "cid", To("bob", "cid")),
            });
        }

        var all = Ids(await InboxAsync("bob"));
        foreach (var size in new[] { 4, 7, 256 })
        {
            await ExpireInboxesAsync(new RetentionLimits { MergeBeforeMs = long.MaxValue, MergedChunkEntries = size });
            Assert.Equal((31L, 1L), await FloorAsync(TimelineKey.Inbox("bob")));
            for (var after = 0; after <= 31; after++)
            {
                foreach (var limit in new[] { 1, 3, 100 })
                {
                    var page = await ReadAsync("bob", after, limit);
                    Assert.Equal(after + 1, page.First.Value);
                    Assert.Equal(all.Skip(after).Take(limit), page.Runs.Count == 0 ? [] : Ids(await ExpandAsync(page.Runs)));
                }
            }
        }

        await StoreAsync(Message(Direct, "ann", Both, id: "next"));
        string[] longer = [.. all, "next"];
        Assert.Equal(longer, Ids(await InboxAsync("bob")));
    }

    /// <summary>A long inbox whose chunks are too large to be merged is passed over, and does not keep the pass from the others.</summary>
    [AbilityFact]
    public virtual async Task ChunksThatAreFullDoNotHoldUpThePass()
    {
        await FillAsync(20);
        var limits = new RetentionLimits { MergeBeforeMs = long.MaxValue, MergedChunkEntries = 1 };
        for (var i = 0; i < 3; i++)
        {
            await PassAsync((after, rows) => Retention.ExpireInboxesAsync(after, limits, rows, CancellationToken.None), 4);
        }

        Assert.Equal(Enumerable.Range(0, 20).Select(i => "m" + i), Ids(await InboxAsync("bob")));
    }

    /// <summary>Trap 1: heads are judged by head rows: also one that lies inside a merged or a forgotten chunk is stale.</summary>
    [AbilityFact]
    public virtual async Task AStaleHeadInsideAMergedOrForgottenChunkIsRefused()
    {
        await FillAsync(12);
        await ExpireInboxesAsync(new RetentionLimits { MergeBeforeMs = long.MaxValue, MergedChunkEntries = 5 });
        await RefuseAllAsync();
        await ExpireConversationsAsync(new RetentionLimits { EntriesPerConversation = 4 });
        await ExpireInboxesAsync(new RetentionLimits { EntriesPerInbox = 4 });
        await RefuseAllAsync();
        await ExpireInboxesAsync(new RetentionLimits { InboxesBeforeMs = long.MaxValue });
        await RefuseAllAsync();

        var right = await Messages.AppendAsync(Batch([Message(Direct, "ann", Both)], _ => 12), CancellationToken.None).Soon();
        Assert.Equal((true, 13L), (right.Committed, right.Items[0].Seq.Value));

        async Task RefuseAllAsync()
        {
            foreach (var stale in new[] { TimelineKey.Conversation(Direct), TimelineKey.Inbox("ann"), TimelineKey.Inbox("bob") })
            {
                foreach (var head in new long[] { 0, 1, 4, 5, 8, 11, 13 })
                {
                    var batch = Batch([Message(Direct, "ann", Both)], timeline => timeline == stale ? head : 12);
                    var refused = await Messages.AppendAsync(batch, CancellationToken.None).Soon();
                    Assert.False(refused.Committed);
                    Assert.Equal([12L, 12L, 12L], refused.Heads.ToArray());
                }
            }
        }
    }

    /// <summary>Clean-up runs in small bites beside the traffic, each bite ends, and so does the pass.</summary>
    [AbilityFact]
    public virtual async Task BitesAreBoundedAndAPassEnds()
    {
        string[] users = [.. Enumerable.Range(0, 12).Select(i => $"u{i:00}")];
        foreach (var user in users)
        {
            for (var i = 0; i < 10; i++)
            {
                await StoreAsync(Message(ConversationId.Own(user), user, To(user), id: $"{user}.{i}"));
            }
        }

        foreach (var rows in new[] { 1, 3, 7, 50 })
        {
            // Each round has something to do, since it keeps less than the one before.
            var keep = 10 - (rows == 50 ? 8 : rows);
            var limits = new RetentionLimits { EntriesPerConversation = keep, EntriesPerInbox = keep };
            await PassAsync((after, max) => Retention.ExpireConversationsAsync(after, limits, max, CancellationToken.None), rows);
            await PassAsync((after, max) => Retention.ExpireInboxesAsync(after, limits, max, CancellationToken.None), rows);
            foreach (var user in users)
            {
                Assert.Equal((10L, 11L - keep), await FloorAsync(TimelineKey.Conversation(ConversationId.Own(user))));
                Assert.Equal((10L, 11L - keep), await FloorAsync(TimelineKey.Inbox(user)));
            }

            var again = await PassAsync((after, max) => Retention.ExpireConversationsAsync(after, limits, max, CancellationToken.None), rows);
            Assert.Equal(default, again);
        }

        var tomorrow = new RetentionLimits { SentBeforeMs = long.MaxValue };
        var logs = await PassAsync((_, max) => Retention.ExpireLogsAsync(tomorrow, max, CancellationToken.None), 7);
        Assert.Equal(120, logs.DeletedRows);
    }

    /// <summary>Merging in small bites ends as well, and leaves fewer chunks than there were or none to merge.</summary>
    [AbilityFact]
    public virtual async Task MergingInSmallBitesEnds()
    {
        await FillAsync(40);
        var all = Ids(await InboxAsync("bob"));
        var limits = new RetentionLimits { MergeBeforeMs = long.MaxValue, MergedChunkEntries = 8 };
        await PassAsync((after, rows) => Retention.ExpireInboxesAsync(after, limits, rows, CancellationToken.None), 6);
        Assert.Equal(all, Ids(await InboxAsync("bob")));
    }

    /// <summary>Nobody's message is lost because a clean-up ran beside it, and two nodes may clean up at once.</summary>
    [AbilityFact]
    public virtual async Task AppendsAndReadsGoOnBesideAPass()
    {
        const int Entries = 300;
        _ = Retention;
        using var stop = new CancellationTokenSource();
        var cleaning = Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await ExpireConversationsAsync(new RetentionLimits { EntriesPerConversation = 20 });
                await ExpireInboxesAsync(new RetentionLimits { EntriesPerInbox = 20, MergeBeforeMs = long.MaxValue, MergedChunkEntries = 6 });
                await Task.Yield();
            }
        })).ToArray();
        try
        {
            for (var i = 1; i <= Entries; i++)
            {
                Assert.Equal(i, (await StoreAsync(Message(Direct, "ann", Both, id: "m" + (i - 1)))).Seq.Value);
                var page = await ReadAsync("bob", Math.Max(0, i - 10));
                var newest = (await ExpandAsync(page.Runs))[^1];
                Assert.Equal((i, "m" + (i - 1), false), (newest.Seq.Value, newest.ClientMessageId, newest.IsGone));
                Assert.Equal(i, (await SeeAsync("bob", Direct))!.Unread);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(cleaning).Soon();
        }

        await ExpireConversationsAsync(new RetentionLimits { EntriesPerConversation = 20 });
        Assert.Equal(((long)Entries, Entries - 19L), await FloorAsync(TimelineKey.Conversation(Direct)));
        var last = await ExpandAsync([new Run(Direct, new(Entries - 19), 20)]);
        Assert.All(last, entry => Assert.False(entry.IsGone));
    }

    /// <summary>A restart brings nothing back that was forgotten.</summary>
    [AbilityFact]
    public virtual async Task FloorsSurviveReopening()
    {
        await FillAsync(10);
        await ExpireConversationsAsync(new RetentionLimits { EntriesPerConversation = 3 });
        await ExpireInboxesAsync(new RetentionLimits { EntriesPerInbox = 3 });
        var floors = (await FloorAsync(TimelineKey.Conversation(Direct)), await FloorAsync(TimelineKey.Inbox("bob")));
        await ReopenAsync();

        Assert.Equal(floors, (await FloorAsync(TimelineKey.Conversation(Direct)), await FloorAsync(TimelineKey.Inbox("bob"))));
        Assert.Equal((10L, 8L), floors.Item1);
        Assert.Equal(11, (await StoreAsync(Message(Direct, "ann", Both))).Seq.Value);
        Assert.Equal([true, false], (await ExpandAsync([new Run(Direct, new(7), 2)])).Select(entry => entry.IsGone));
    }

    /// <summary>A mistake in a setting is told and forgets nothing.</summary>
    [AbilityFact]
    public virtual async Task ABiteOfNoRowsIsRefused()
    {
        await FillAsync(3);
        var limits = new RetentionLimits { EntriesPerConversation = 1, EntriesPerInbox = 1 };
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Retention.ExpireConversationsAsync(null, limits, 0, CancellationToken.None).Soon());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Retention.ExpireInboxesAsync(null, limits, 0, CancellationToken.None).Soon());
        Assert.Equal((3L, 1L), await FloorAsync(TimelineKey.Conversation(Direct)));
    }
}
