using Im.Model;
using Im.Storage.InMemory;
using Im.Testing.Specification;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage;

/// <summary>Floors in memory: what is forgotten, what stays, and what readers are told.</summary>
public sealed class InMemoryRetentionTests
{
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private readonly InMemoryState _state = new();
    private readonly InMemoryMessageStore _messages;
    private readonly InMemoryConversationStore _conversations;
    private readonly InMemoryRetentionStore _retention;
    private readonly InMemoryUserDataStore _userData;

    public InMemoryRetentionTests()
    {
        _messages = new InMemoryMessageStore(_state);
        _conversations = new InMemoryConversationStore(_state);
        _retention = new InMemoryRetentionStore(_state);
        _userData = new InMemoryUserDataStore(_state);
    }

    [Fact]
    public async Task OldEntriesAreGoneAndTheNewestStays()
    {
        await SendAsync(times: [10, 20, 30]);
        var bite = await ExpireConversationsAsync(new RetentionLimits { EntriesBeforeMs = 100 });
        Assert.Equal(2, bite.DeletedEntries);
        var head = (await _messages.GetHeadsAsync([TimelineKey.Conversation(Direct)], default))[0];
        Assert.Equal((3L, 3L, 3L), (head.Head, head.Floor, head.Ordinal));
        var entries = await _messages.ReadEntriesAsync([new Run(Direct, new(1), 3)], 1000, default);
        Assert.Equal([true, true, false], entries.Select(entry => entry.IsGone));
        Assert.Equal(StoredEntry.Forgotten(Direct, new(1)), entries[0]);
        var seen = (await _conversations.ListAsync("bob", null, 10, default))[0];
        Assert.Equal((3L, 3L), (seen.LastEntry!.Seq.Value, seen.Unread));
    }

    [Fact]
    public async Task AMarkBelowTheFloorCountsAsOneJustBelowIt()
    {
        await SendAsync(times: [10, 20, 30, 40, 50]);
        await ExpireConversationsAsync(new RetentionLimits { EntriesPerConversation = 2 });
        await _messages.AppendAsync(Batch(Mark("bob", Direct, 1)), default);
        var seen = (await _conversations.ListAsync("bob", null, 10, default))[0];
        Assert.Equal((1L, 2L), (seen.ReadSeq.Value, seen.Unread));
    }

    [Fact]
    public async Task AnEntryWithinTheLimitsKeepsWhatFollowsIt()
    {
        await SendAsync(times: [10, 200, 20, 300]);
        await ExpireConversationsAsync(new RetentionLimits { EntriesBeforeMs = 100 });
        Assert.Equal(2, (await _messages.GetHeadsAsync([TimelineKey.Conversation(Direct)], default))[0].Floor);
    }

    [Fact]
    public async Task AnInboxPageNeverBeginsBelowTheFloor()
    {
        await SendAsync(times: [10, 20, 30]);
        var bite = await _retention.ExpireInboxesAsync(null, new RetentionLimits { InboxesBeforeMs = 30 }, 100, default);
        Assert.Equal((null, 4), (bite.Next, bite.DeletedChunks));
        var page = (await _messages.ReadInboxesAsync([new InboxRead("bob", InboxSeq.Zero, 10)], default))[0];
        Assert.Equal((3L, 3L, 3L), (page.First.Value, page.Head.Floor, page.Head.Head));
        Assert.Equal(new Run(Direct, new(3), 1), Assert.Single(page.Runs));

        await _retention.ExpireInboxesAsync(null, new RetentionLimits { EntriesPerInbox = 0 }, 100, default);
        page = (await _messages.ReadInboxesAsync([new InboxRead("bob", InboxSeq.Zero, 10)], default))[0];
        Assert.Equal((4L, 4L, 3L, 0), (page.First.Value, page.Head.Floor, page.Head.Head, page.Runs.Count));
        Assert.True(page.Head.IsUsable(3));
        Assert.False(page.Head.IsUsable(2));
        await SendAsync(times: [40]);
        page = (await _messages.ReadInboxesAsync([new InboxRead("bob", new(3), 10)], default))[0];
        Assert.Equal(new Run(Direct, new(4), 1), Assert.Single(page.Runs));
    }

    // Bites of every size come to the same end, and each does some of it.
    [Fact]
    public async Task ManySmallBitesDoWhatOneBigOneDoes()
    {
        for (var size = 1; size <= 8; size++)
        {
            var id = "u" + size;
            for (var peer = 0; peer < 3; peer++)
            {
                var conversation = ConversationId.Direct(id, $"{id}-{peer}");
                for (var i = 0; i < 5; i++)
                {
                    await _messages.AppendAsync(Batch(Message(conversation, id, To(id, $"{id}-{peer}"), timeMs: 10)), default);
                }
            }

            var (deleted, bites) = (0, 0);
            string? next = null;
            do
            {
                var bite = await _retention.ExpireConversationsAsync(next, new RetentionLimits { EntriesBeforeMs = 100 }, size, default);
                next = bite.Next;
                deleted += bite.DeletedEntries;
                Assert.InRange(bite.DeletedEntries, 0, size);
                Assert.True(++bites < 200);
            }
            while (next is not null);
            Assert.Equal(12, deleted);
        }
    }

    [Fact]
    public async Task OneSendersBodiesAreErasedAndTheirPlacesStay()
    {
        await SendAsync(times: [10, 20]);
        await _messages.AppendAsync(Batch(Message(Direct, "bob", To("ann", "bob"))), default);
        Assert.Equal(2, await _userData.EraseBodiesAsync(Direct, new(1), new(100), "ann", default));
        Assert.Equal(0, await _userData.EraseBodiesAsync(Direct, new(1), new(100), "ann", default));
        var entries = await _messages.ReadEntriesAsync([new Run(Direct, new(1), 3)], 1000, default);
        Assert.Equal([(true, "ann"), (true, "ann"), (false, "bob")], entries.Select(entry => (entry.IsGone, entry.SenderId)));
    }

    [Fact]
    public async Task AUsersStaysAreListedWithTheOwnConversation()
    {
        await SendAsync(times: [10]);
        await _messages.AppendAsync(Batch(Create("g:1", "write", "ann", "bob")), default);
        await _messages.AppendAsync(Batch(Change("g:1", "ann", To("ann", "bob"), 1, new ConversationChange.ChangeMembers([], ["bob"]))), default);
        await _messages.AppendAsync(Batch(Mark("bob", Direct, 1)), default);
        var first = await _userData.ListStaysAsync("bob", null, 2, default);
        var rest = await _userData.ListStaysAsync("bob", first[^1].ConversationId, 2, default);
        Assert.Equal([Direct, "g:1", "o:bob"], first.Concat(rest).Select(stays => stays.ConversationId));
        Assert.Equal(new Membership(new(1), new(2)), Assert.Single(first[1].Stays));
    }

    // An import may come before anything was said; both parties are members then, as the id says.
    [Fact]
    public async Task AnItemWithoutAudienceMakesTheConversationOfThoseWhomItsIdNames()
    {
        await _messages.AppendAsync(Batch(Message(Direct, "ann", Audience.None, counts: false)), default);
        var seen = Assert.Single(await _conversations.ListAsync("bob", null, 10, default));
        Assert.Equal((2, 0L, 1L), (seen.MemberCount, seen.Unread, seen.Head.Head));
    }

    private async Task SendAsync(params long[] times)
    {
        foreach (var time in times)
        {
            await _messages.AppendAsync(Batch(Message(Direct, "ann", To("ann", "bob"), timeMs: time)), default);
        }
    }

    private ValueTask<RetentionBite> ExpireConversationsAsync(RetentionLimits limits) =>
        _retention.ExpireConversationsAsync(null, limits, 100, default);
}
