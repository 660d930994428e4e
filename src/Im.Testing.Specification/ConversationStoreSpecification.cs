using Im.Fanout;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="IConversationStore"/>: memberships, marks, unread counts, lists and the snapshot.</summary>
public abstract class ConversationStoreSpecification(IStorageFixture fixture) : StorageSpecification(fixture)
{
    private const string Group = "g:team";
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private static readonly Audience Both = To("ann", "bob");

    /// <summary>History is limited to the stays: nobody reads what was written before they came or after they left.</summary>
    [Fact]
    public virtual async Task AStayReachesFromTheJoinEntryToTheLeaveEntry()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann"));
        await StoreAsync(Message(Group, "ann", To("ann"), version: 1));
        await MembersAsync(1, added: ["bob"], removed: []);
        await StoreAsync(Message(Group, "ann", Both, version: 2));
        await MembersAsync(2, added: [], removed: ["bob"]);
        Assert.Equal([Stay(3, 5)], await StaysAsync("bob"));
        await StoreAsync(Message(Group, "ann", To("ann"), version: 3));
        await MembersAsync(3, added: ["bob"], removed: []);
        Assert.Equal([Stay(3, 5), Stay(7, null)], await StaysAsync("bob"));
        Assert.Equal([Stay(1, null)], await StaysAsync("ann"));

        await StoreAsync(Change(Group, "ann", Both, 4, new ConversationChange.DissolveGroup()));

        Assert.Equal([Stay(3, 5), Stay(7, 8)], await StaysAsync("bob"));
        Assert.Equal([Stay(1, 8)], await StaysAsync("ann"));
        Assert.Empty(await StaysAsync("eve"));
        Assert.Null(await SeeAsync("ann", Group));
    }

    /// <summary>A direct conversation begins with its first message, for both.</summary>
    [Fact]
    public virtual async Task TheFirstMessageMakesADirectConversationOfItsAudience()
    {
        await StoreAsync(Message(Direct, "ann", Both));

        foreach (var user in Both.UserIds)
        {
            Assert.Equal([Stay(1, null)], await Conversations.GetMembershipsAsync(user, Direct, CancellationToken.None).Soon());
            var seen = (await SeeAsync(user, Direct))!;
            Assert.Equal(
                (Direct, 1L, FanoutNames.Write, 2, 0L, 1L),
                (seen.ConversationId, seen.Head.Head, seen.Fanout, seen.MemberCount, seen.Version, seen.Joined.Value));
            Assert.Null(seen.Group);
        }

        Assert.Null(await SeeAsync("eve", Direct));
    }

    /// <summary>Trap 23: the very first message to somebody is unread there, and never for the one who wrote it.</summary>
    [Fact]
    public virtual async Task UnreadCountsWhatOthersWroteSinceTheMarkAndTheOwnLastMessage()
    {
        await StoreAsync(Message(Direct, "ann", Both));
        Assert.Equal((0L, 1L), await UnreadAsync(Direct));
        await StoreAsync(Message(Direct, "ann", Both));
        await StoreAsync(Message(Direct, "ann", Both, counts: false));
        Assert.Equal((0L, 2L), await UnreadAsync(Direct));
        await StoreAsync(Mark("bob", Direct, 1));
        Assert.Equal((0L, 1L), await UnreadAsync(Direct));
        await StoreAsync(Message(Direct, "bob", Both));
        Assert.Equal((1L, 0L), await UnreadAsync(Direct));
        await StoreAsync(Message(Direct, "ann", Both));
        Assert.Equal((0L, 1L), await UnreadAsync(Direct));
    }

    /// <summary>Trap 23: what was written before somebody came is not theirs to read, so it is not unread either.</summary>
    [Fact]
    public virtual async Task UnreadBeginsAtTheJoinEntry()
    {
        await StoreAsync(Create(Group, FanoutNames.Read, "ann"));
        await StoreAsync(Message(Group, "ann", Audience.None, version: 1));
        await MembersAsync(1, added: ["bob"], removed: []);
        Assert.Equal((0L, 0L), await UnreadAsync(Group));
        await StoreAsync(Message(Group, "ann", Audience.None, version: 2));
        Assert.Equal((0L, 1L), await UnreadAsync(Group));
        await MembersAsync(2, added: [], removed: ["bob"]);
        await StoreAsync(Message(Group, "ann", Audience.None, version: 3));
        await MembersAsync(3, added: ["bob"], removed: []);
        Assert.Equal((0L, 0L), await UnreadAsync(Group));
    }

    /// <summary>Traps 6, 23: one mark for all devices; it never moves back, never beyond what exists, and says what is left.</summary>
    [Fact]
    public virtual async Task AReadMarkOnlyMovesForwardAndUpToTheHead()
    {
        for (var i = 0; i < 5; i++)
        {
            await StoreAsync(Message(Direct, "ann", Both));
        }

        Assert.Equal((AppendOutcome.Stored, 1L, 2L), await MarkAsync(3));
        Assert.Equal((AppendOutcome.Unchanged, 3L, 2L), await MarkAsync(3));
        Assert.Equal((AppendOutcome.Unchanged, 3L, 2L), await MarkAsync(1));
        Assert.Equal((AppendOutcome.Unchanged, 3L, 2L), await MarkAsync(-1));
        Assert.Equal((AppendOutcome.Stored, 2L, 0L), await MarkAsync(long.MaxValue));
        Assert.Equal((AppendOutcome.Unchanged, 5L, 0L), await MarkAsync(6));
        Assert.Equal(5, (await SeeAsync("bob", Direct))!.ReadSeq.Value);
        Assert.Equal(0, (await SeeAsync("ann", Direct))!.ReadSeq.Value);
        Assert.Equal(5 + 2, (await InboxAsync("bob")).Count);

        async Task<(AppendOutcome Outcome, long Seq, long Unread)> MarkAsync(long seq)
        {
            var result = (await AppendAsync(Mark("bob", Direct, seq))).Items[0];
            return (result.Outcome, result.Seq.Value, result.Ordinal);
        }
    }

    /// <summary>A mark sees the messages that stand before it in the same commit.</summary>
    [Fact]
    public virtual async Task AReadMarkCountsTheMessagesBeforeItInItsBatch()
    {
        var result = await AppendAsync(
            Message(Direct, "ann", Both), Message(Direct, "ann", Both), Mark("bob", Direct, 99), Message(Direct, "ann", Both));

        Assert.Equal((AppendOutcome.Stored, 0L), (result.Items[2].Outcome, result.Items[2].Ordinal));
        Assert.Equal(2, (await SeeAsync("bob", Direct))!.ReadSeq.Value);
        Assert.Equal((0L, 1L), await UnreadAsync(Direct));
    }

    /// <summary>Nobody leaves traces in a conversation that is not theirs.</summary>
    [Fact]
    public virtual async Task AReadMarkOfAStrangerChangesNothing()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        await MembersAsync(1, added: [], removed: ["bob"]);

        Assert.Equal(AppendOutcome.Unchanged, await OutcomeAsync(Mark("bob", Group, 1)));
        Assert.Equal(AppendOutcome.Unchanged, await OutcomeAsync(Mark("eve", Group, 1)));
        Assert.Equal(AppendOutcome.Unchanged, await OutcomeAsync(Mark("eve", "g:none", 1)));
        Assert.Equal(0, (await HeadAsync(TimelineKey.Conversation(ConversationId.Own("eve")))).Head);
    }

    /// <summary>Trap 18: an explicit order, so that pages neither repeat nor leave out a conversation.</summary>
    [Fact]
    public virtual async Task ConversationsAreListedInOrderPageByPage()
    {
        await StoreAsync(Message(Direct, "ann", Both));
        await StoreAsync(Message(ConversationId.Own("ann"), "ann", To("ann")));
        foreach (var id in new[] { "g:c", "g:a", "g:b", "g:left" })
        {
            await StoreAsync(Create(id, FanoutNames.Write, "ann", "bob"));
        }

        await StoreAsync(Create("g:others", FanoutNames.Write, "bob"));
        await StoreAsync(Change("g:left", "ann", Both, 1, new ConversationChange.ChangeMembers([], ["ann"])));
        string[] expected = [Direct, "g:a", "g:b", "g:c"];
        for (var limit = 1; limit <= 5; limit++)
        {
            var listed = new List<string>();
            for (string? after = null; ; after = listed[^1])
            {
                var page = await Conversations.ListAsync("ann", after, limit, CancellationToken.None).Soon();
                listed.AddRange(page.Select(conversation => conversation.ConversationId));
                if (page.Count < limit)
                {
                    break;
                }
            }

            Assert.Equal(expected, listed);
        }

        // An id that is not (or no longer) in the list is as good a place to go on from.
        Assert.Equal("g:c", (await Conversations.ListAsync("ann", "g:bb", 9, CancellationToken.None).Soon()).Single().ConversationId);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Conversations.ListAsync("ann", null, 0, CancellationToken.None).Soon());
        Assert.Empty(await Conversations.ListAsync("nobody", null, 9, CancellationToken.None).Soon());
    }

    /// <summary>A list shows the newest message of each conversation.</summary>
    [Fact]
    public virtual async Task AConversationShowsItsNewestEntry()
    {
        await StoreAsync(Create(Group, FanoutNames.Read, "ann", "bob"));
        await StoreAsync(Message(Group, "ann", Audience.None, version: 1, id: "newest"));

        var seen = (await SeeAsync("bob", Group))!;

        Assert.Equal("newest", seen.LastEntry!.ClientMessageId);
        Assert.Equal((2L, 1L, 1L), (seen.Head.Head, seen.Head.Ordinal, seen.Unread));
        Assert.Equal((new GroupInfo(Group), FanoutNames.Read, 2, 1L), (seen.Group, seen.Fanout, seen.MemberCount, seen.Version));
    }

    /// <summary>A device that starts from a snapshot and goes on behind it misses nothing and gets nothing twice.</summary>
    [Fact]
    public virtual async Task ASnapshotIsOneMoment()
    {
        await StoreAsync(Message(Direct, "ann", Both));
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                await AppendAsync(Message(Direct, "ann", Both), Message(Direct, "ann", Both), Message(Direct, "ann", Both));
            }

            await stop.CancelAsync();
        });
        InboxSnapshot snapshot;
        do
        {
            // Everything in bob's inbox is of this conversation and everything in it unread.
            snapshot = await Conversations.GetSnapshotAsync("bob", CancellationToken.None).Soon();
            var seen = snapshot.Conversations.Single();
            Assert.Equal(snapshot.Seq.Value, seen.Head.Head);
            Assert.Equal(snapshot.Seq.Value, seen.LastEntry!.Seq.Value);
            Assert.Equal(snapshot.Seq.Value, seen.Unread);
            Assert.Equal(1, snapshot.Seq.Value % 3);
        }
        while (!stop.IsCancellationRequested);

        await writer.Soon();
    }

    /// <summary>The snapshot is the list of present conversations; a user nobody has written to has an empty one.</summary>
    [Fact]
    public virtual async Task ASnapshotHoldsThePresentConversations()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        await StoreAsync(Message(Direct, "ann", Both));
        await StoreAsync(Mark("bob", Direct, 1));
        await MembersAsync(1, added: [], removed: ["bob"]);

        var snapshot = await Conversations.GetSnapshotAsync("bob", CancellationToken.None).Soon();

        Assert.Equal(4, snapshot.Seq.Value);
        Assert.Equal([(Direct, 1L, 0L)], snapshot.Conversations.Select(c => (c.ConversationId, c.ReadSeq.Value, c.Unread)));
        var nobodys = await Conversations.GetSnapshotAsync("nobody", CancellationToken.None).Soon();
        Assert.Equal(0, nobodys.Seq.Value);
        Assert.Empty(nobodys.Conversations);
    }

    /// <summary>Large groups have full offline sync: a member reads the conversation from the entry that came through the inbox.</summary>
    [Fact]
    public virtual async Task ReadTimelinesOpenAtJoinOrSwitchAndEndBeforeLeaveOrSwitch()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        await StoreAsync(Message(Direct, "ann", Both));
        Assert.Empty(await PartsAsync("ann"));
        Assert.Empty(await PartsAsync("ann", Group, Direct, "g:none"));

        await SwitchAsync(1, FanoutNames.Read);                                 // 2
        await StoreAsync(Message(Group, "ann", Audience.None, version: 2));     // 3
        await MembersAsync(2, added: ["cid"], removed: []);                     // 4
        Assert.Equal([(2L, null)], await PartsAsync("ann"));
        Assert.Equal([(4L, null)], await PartsAsync("cid", Group));

        await MembersAsync(3, added: [], removed: ["bob"]);                     // 5
        Assert.Empty(await PartsAsync("bob"));
        Assert.Equal([(2L, 4L)], await PartsAsync("bob", Group));

        await SwitchAsync(4, FanoutNames.Write);                                // 6
        await MembersAsync(5, added: ["bob"], removed: []);                     // 7
        Assert.Empty(await PartsAsync("ann"));
        Assert.Equal([(2L, 5L)], await PartsAsync("ann", Group, Group));
        Assert.Equal([(4L, 5L)], await PartsAsync("cid", Group));
        Assert.Equal([(2L, 4L)], await PartsAsync("bob", Group));

        await SwitchAsync(6, FanoutNames.Read);                                 // 8
        Assert.Equal([(8L, null)], await PartsAsync("bob"));
        Assert.Equal([(2L, 4L), (8L, null)], await PartsAsync("bob", Group));
        await StoreAsync(Change(Group, "ann", Both, 7, new ConversationChange.DissolveGroup())); // 9
        Assert.Equal([(2L, 5L), (8L, 8L)], await PartsAsync("ann", Group));
        Assert.Empty(await PartsAsync("eve", Group));
    }

    /// <summary>A device that was away while its user came and went has not heard of the stay: its entries must still reach it.</summary>
    [Fact]
    public virtual async Task AnEndedPartIsToldToWhoHasNotReadItsJoinInTheInbox()
    {
        await StoreAsync(Create(Group, FanoutNames.Read, "ann"));
        await StoreAsync(Message(Direct, "ann", Both));                         // bob's inbox 1
        await MembersAsync(1, added: ["bob"], removed: []);                     // g 2, bob's inbox 2
        await StoreAsync(Message(Group, "ann", Audience.None, version: 2));     // g 3
        await MembersAsync(2, added: [], removed: ["bob"]);                     // g 4, bob's inbox 3

        Assert.Equal([(2L, 3L)], await ReadAsync(after: 0));
        Assert.Equal([(2L, 3L)], await ReadAsync(after: 1));
        Assert.Empty(await ReadAsync(after: 2));

        async Task<IEnumerable<(long, long?)>> ReadAsync(long after) =>
            (await Conversations.GetReadTimelinesAsync("bob", [], new(after), CancellationToken.None).Soon())
            .Select(part => (part.After.Value, part.Last?.Value));
    }

    /// <summary>The head comes with the timeline, so that a session knows at once whether it is behind.</summary>
    [Fact]
    public virtual async Task AReadTimelineTellsItsHead()
    {
        await StoreAsync(Create(Group, FanoutNames.Read, "ann"));
        await StoreAsync(Message(Group, "ann", Audience.None, version: 1));

        var part = (await Conversations.GetReadTimelinesAsync("ann", [], default, CancellationToken.None).Soon()).Single();

        Assert.Equal(
            new ReadTimeline(Group, new(1), null, new TimelineHead(TimelineKey.Conversation(Group), 2, 1, 1)), part);
    }

    private static Membership Stay(long first, long? last) => new(new(first), last is null ? null : new ConversationSeq(last.Value));

    private async Task MembersAsync(long version, string[] added, string[] removed)
    {
        var concerned = To([.. added.Union(removed).Union(["ann"])]);
        await StoreAsync(Change(Group, "ann", concerned, version, new ConversationChange.ChangeMembers([.. added], [.. removed])));
    }

    private async Task SwitchAsync(long version, string fanout) =>
        await StoreAsync(Change(Group, "ann", Both, version, new ConversationChange.SwitchFanout(fanout, false)));

    private async Task<IReadOnlyList<Membership>> StaysAsync(string userId) =>
        await Conversations.GetMembershipsAsync(userId, Group, CancellationToken.None).Soon();

    private async Task<(long Ann, long Bob)> UnreadAsync(string conversationId) =>
        ((await SeeAsync("ann", conversationId))!.Unread, (await SeeAsync("bob", conversationId))!.Unread);

    private async Task<(long After, long? Last)[]> PartsAsync(string userId, params string[] known)
    {
        var parts = await Conversations.GetReadTimelinesAsync(userId, known, new(long.MaxValue), CancellationToken.None).Soon();
        return [.. parts.Select(part => (part.After.Value, part.Last?.Value))];
    }
}
