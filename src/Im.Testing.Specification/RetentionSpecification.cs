using Im.Fanout;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="IRetentionStore"/>. Skipped, visibly, where the adapter has none.</summary>
public abstract partial class RetentionSpecification(IStorageFixture fixture) : StorageSpecification(fixture)
{
    private const string Group = "g:team";
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private static readonly Audience Both = To("ann", "bob");

    /// <summary>How many rows a bite may touch in these facts.</summary>
    protected virtual int BiteRows => 1000;

    /// <summary>Cursors stay valid numbers for ever: what is forgotten leaves its place.</summary>
    [AbilityFact]
    public virtual async Task FloorsRiseAndHeadsStay()
    {
        await FillAsync(20);
        var done = await ExpireConversationsAsync(new RetentionLimits { EntriesPerConversation = 5 });

        Assert.Equal(15, done.DeletedEntries);
        Assert.Equal(new TimelineHead(TimelineKey.Conversation(Direct), 20, 16, 20), await HeadAsync(TimelineKey.Conversation(Direct)));
        await ExpireConversationsAsync(new RetentionLimits { EntriesPerConversation = 10 });
        Assert.Equal(16, (await HeadAsync(TimelineKey.Conversation(Direct))).Floor);
        Assert.Equal(21, (await StoreAsync(Message(Direct, "ann", Both))).Seq.Value);
        Assert.Equal(21, (await HeadAsync(TimelineKey.Conversation(Direct))).Ordinal);
    }

    /// <summary>Whoever asks for what was forgotten is told that it is gone, and reads on behind it.</summary>
    [AbilityFact]
    public virtual async Task EntriesBelowTheFloorAreAnsweredAsGone()
    {
        await FillAsync(20);
        await ExpireConversationsAsync(new RetentionLimits { EntriesPerConversation = 5 });

        foreach (var entries in new[] { await ExpandAsync([new Run(Direct, new(1), 20)]), await InboxAsync("bob") })
        {
            Assert.Equal(Enumerable.Range(1, 20).Select(i => (long)i), entries.Select(entry => entry.Seq.Value));
            Assert.Equal(Enumerable.Repeat(true, 15).Concat(Enumerable.Repeat(false, 5)), entries.Select(entry => entry.IsGone));
            Assert.All(entries, entry => Assert.Equal((Direct, entry.IsGone), (entry.ConversationId, entry.Body.IsEmpty)));
        }

        Assert.Equal(["m15", "m16"], Ids(await ExpandAsync([new Run(Direct, new(16), 2)])));
        Assert.Equal([true, true, false], (await ExpandAsync([new Run(Direct, new(14), 3)])).Select(entry => entry.IsGone));
    }

    /// <summary>A conversation list shows each conversation's newest message, however old it is.</summary>
    [AbilityFact]
    public virtual async Task TheNewestEntryOfAConversationIsKept()
    {
        await FillAsync(7);
        await ExpireConversationsAsync(new RetentionLimits { EntriesBeforeMs = long.MaxValue, EntriesPerConversation = 1 });

        Assert.Equal((7L, 7L), await FloorAsync(TimelineKey.Conversation(Direct)));
        var seen = (await SeeAsync("bob", Direct))!;
        Assert.Equal(("m6", false), (seen.LastEntry!.ClientMessageId, seen.LastEntry.IsGone));
    }

    /// <summary>Only the oldest go: nobody finds a hole in the middle of what is kept.</summary>
    [AbilityFact]
    public virtual async Task AnEntryWithinTheLimitsKeepsWhatFollowsIt()
    {
        foreach (var time in new[] { 10, 20, 90, 30, 100 })
        {
            await StoreAsync(Message(Direct, "ann", Both, timeMs: time));
        }

        await ExpireConversationsAsync(new RetentionLimits { EntriesBeforeMs = 50 });
        Assert.Equal((5L, 3L), await FloorAsync(TimelineKey.Conversation(Direct)));
        Assert.Equal([true, true, false, false, false], (await ExpandAsync([new Run(Direct, new(1), 5)])).Select(entry => entry.IsGone));
    }

    /// <summary>A limit of time and one of count are both kept.</summary>
    [AbilityFact]
    public virtual async Task WhatEitherLimitForgetsIsForgotten()
    {
        foreach (var time in new[] { 10, 20, 30, 40, 50 })
        {
            await StoreAsync(Message(Direct, "ann", Both, timeMs: time));
        }

        await ExpireConversationsAsync(new RetentionLimits { EntriesBeforeMs = 25, EntriesPerConversation = 4 });
        Assert.Equal((5L, 3L), await FloorAsync(TimelineKey.Conversation(Direct)));
        await ExpireConversationsAsync(new RetentionLimits { EntriesBeforeMs = 25, EntriesPerConversation = 2 });
        Assert.Equal((5L, 4L), await FloorAsync(TimelineKey.Conversation(Direct)));
    }

    /// <summary>Whoever asks for nothing to be forgotten keeps everything.</summary>
    [AbilityFact]
    public virtual async Task WithoutLimitsNothingIsForgotten()
    {
        await FillAsync(5);
        await ExpireConversationsAsync(new RetentionLimits());
        await ExpireInboxesAsync(new RetentionLimits());
        await ExpireLogsAsync(new RetentionLimits());

        Assert.Equal((5L, 1L), await FloorAsync(TimelineKey.Conversation(Direct)));
        Assert.Equal((5L, 1L), await FloorAsync(TimelineKey.Inbox("bob")));
        Assert.Equal(AppendOutcome.Duplicate, await OutcomeAsync(Message(Direct, "ann", Both, id: "m0")));
    }

    /// <summary>Unread counts, marks, memberships and lists mean the same after a clean-up.</summary>
    [AbilityFact]
    public virtual async Task UnreadCountsAndListsMeanTheSameAfterwards()
    {
        await StoreAsync(Create(Group, FanoutNames.Read, "ann", "bob", "cid"));
        for (var i = 0; i < 10; i++)
        {
            await StoreAsync(Message(Group, i == 4 ? "cid" : "ann", Audience.None, version: 1, counts: i % 3 > 0));
        }

        await FillAsync(20);
        await StoreAsync(Mark("bob", Direct, 7));
        await StoreAsync(Mark("bob", Group, 3));
        var (bob, cid) = (await ListAsync("bob"), await ListAsync("cid"));
        await ExpireConversationsAsync(new RetentionLimits { EntriesPerConversation = 3 });
        await ExpireInboxesAsync(new RetentionLimits { EntriesPerInbox = 1, MergeBeforeMs = long.MaxValue });

        Assert.Equal(bob, await ListAsync("bob"));
        Assert.Equal(cid, await ListAsync("cid"));
        Assert.Equal(13, bob.Single(seen => seen.Id == Direct).Unread);
        Assert.Equal([new Membership(new(1), null)], await Conversations.GetMembershipsAsync("bob", Group, CancellationToken.None).Soon());
        await StoreAsync(Mark("bob", Direct, 19));
        Assert.Equal(1, (await SeeAsync("bob", Direct))!.Unread);
        await StoreAsync(Message(Direct, "ann", Both));
        Assert.Equal(2, (await SeeAsync("bob", Direct))!.Unread);
    }

    /// <summary>A mark on an entry that is forgotten counts as one just below what is kept.</summary>
    [AbilityFact]
    public virtual async Task AMarkBelowTheFloorCountsAsOneJustBelowIt()
    {
        await FillAsync(20);
        await ExpireConversationsAsync(new RetentionLimits { EntriesPerConversation = 5 });
        var result = (await AppendAsync(Mark("bob", Direct, 3))).Items[0];

        Assert.Equal((AppendOutcome.Stored, 5L), (result.Outcome, result.Ordinal));
        Assert.Equal(5, (await SeeAsync("bob", Direct))!.Unread);
    }

    /// <summary>Trap 2: a resend of a message that is forgotten is still a resend.</summary>
    [AbilityFact]
    public virtual async Task AResendOfAForgottenMessageIsADuplicate()
    {
        await FillAsync(10);
        await ExpireConversationsAsync(new RetentionLimits { EntriesPerConversation = 1 });
        await ExpireInboxesAsync(new RetentionLimits { EntriesPerInbox = 1 });

        var again = (await AppendAsync(Message(Direct, "ann", Both, id: "m2"))).Items[0];
        Assert.Equal((AppendOutcome.Duplicate, 3L), (again.Outcome, again.Seq.Value));
    }

    /// <summary>Ids are kept longer than any client resends, and not for ever; a node's batch number is never forgotten.</summary>
    [AbilityFact]
    public virtual async Task SentIdsAreForgottenOnlyWhenTheyAreOld()
    {
        await FillAsync(5);
        var last = await Messages.GetLastBatchNumberAsync("test", CancellationToken.None).Soon();
        var now = TimeProvider.System.GetUtcNow();
        var hourAgo = now.AddHours(-1).ToUnixTimeMilliseconds();
        Assert.Equal(0, (await ExpireLogsAsync(new RetentionLimits { SentBeforeMs = hourAgo, CommitsBeforeMs = hourAgo })).DeletedRows);
        Assert.Equal(AppendOutcome.Duplicate, await OutcomeAsync(Message(Direct, "ann", Both, id: "m0")));

        var inAnHour = now.AddHours(1).ToUnixTimeMilliseconds();
        var done = await ExpireLogsAsync(new RetentionLimits { SentBeforeMs = inAnHour, CommitsBeforeMs = inAnHour });
        Assert.InRange(done.DeletedRows, 5, int.MaxValue);
        Assert.InRange(await Messages.GetLastBatchNumberAsync("test", CancellationToken.None).Soon(), last, long.MaxValue);
        Assert.Equal(AppendOutcome.Stored, await OutcomeAsync(Message(Direct, "ann", Both, id: "m0")));
        Assert.Equal((6L, 1L), await FloorAsync(TimelineKey.Conversation(Direct)));
    }

    /// <summary>Fills the direct conversation of ann and bob, one commit each; ann writes all.</summary>
    protected async Task FillAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await StoreAsync(Message(Direct, "ann", Both, id: "m" + i));
        }
    }

    private async Task<(long Head, long Floor)> FloorAsync(TimelineKey timeline)
    {
        var head = await HeadAsync(timeline);
        return (head.Head, head.Floor);
    }

    private async Task<List<(string Id, long Head, long Ordinal, long Read, long Unread, int Members, long Version, string? Last)>> ListAsync(
        string user) =>
    [
        .. (await Conversations.ListAsync(user, null, 100, CancellationToken.None).Soon()).Select(seen => (
            seen.ConversationId, seen.Head.Head, seen.Head.Ordinal, seen.ReadSeq.Value, seen.Unread, seen.MemberCount, seen.Version,
            seen.LastEntry?.ClientMessageId)),
    ];

    private Task<RetentionBite> ExpireConversationsAsync(RetentionLimits limits) =>
        PassAsync((after, rows) => Retention.ExpireConversationsAsync(after, limits, rows, CancellationToken.None), BiteRows);

    private Task<RetentionBite> ExpireInboxesAsync(RetentionLimits limits) =>
        PassAsync((after, rows) => Retention.ExpireInboxesAsync(after, limits, rows, CancellationToken.None), BiteRows);

    private Task<RetentionBite> ExpireLogsAsync(RetentionLimits limits) =>
        PassAsync((_, rows) => Retention.ExpireLogsAsync(limits, rows, CancellationToken.None), BiteRows);

    /// <summary>A whole pass, bite by bite; the sum of what the bites did.</summary>
    private static async Task<RetentionBite> PassAsync(Func<string?, int, ValueTask<RetentionBite>> bite, int maxRows)
    {
        var sum = default(RetentionBite);
        string? after = null;
        for (var bites = 0; ; bites++)
        {
            Assert.True(bites < 2000, "The pass does not end.");
            var done = await bite(after, maxRows).Soon();
            Assert.InRange(done.DeletedEntries + done.DeletedChunks, 0, maxRows);
            Assert.InRange(done.MergedChunks, 0, maxRows);
            Assert.InRange(done.DeletedRows, 0, maxRows);
            Assert.False(done.Next is not null && done == new RetentionBite(after), $"The pass stands still at \"{after}\".");
            sum = new RetentionBite(
                null,
                sum.DeletedEntries + done.DeletedEntries,
                sum.DeletedChunks + done.DeletedChunks,
                sum.MergedChunks + done.MergedChunks,
                sum.DeletedRows + done.DeletedRows);
            if (done.Next is null)
            {
                return sum;
            }

            after = done.Next;
        }
    }
}
