using Im.Model;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

public abstract partial class MessageStoreSpecification
{
    /// <summary>Trap 1: a page goes on exactly where the device stopped, wherever a commit began.</summary>
    [Fact]
    public virtual async Task APageGoesOnBehindAnyCursor()
    {
        var other = ConversationId.Direct("ann", "cid");
        for (var i = 0; i < 5; i++)
        {
            await AppendAsync(
                Message(Direct, "ann", Both), Message(Direct, "bob", Both),
                Message(other, "ann", To("ann", "cid")), Message(Direct, "ann", Both));
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

    /// <summary>A device that has everything is told so, and many inboxes are read in one call.</summary>
    [Fact]
    public virtual async Task APageAtTheHeadIsEmpty()
    {
        await StoreAsync(Message(Direct, "ann", Both));

        var pages = await Messages.ReadInboxesAsync(
            [new("ann", new(1), 10), new("nobody", new(0), 10), new("bob", new(0), 10)], CancellationToken.None).Soon();

        Assert.Equal([2L, 1L, 1L], pages.Select(page => page.First.Value));
        Assert.Equal([0, 0, 1], pages.Select(page => page.Runs.Count));
        Assert.Equal([1L, 0L, 1L], pages.Select(page => page.Head.Head));
        Assert.Equal(TimelineHead.Empty(TimelineKey.Inbox("nobody")), pages[1].Head);
    }

    /// <summary>Trap 24: a few huge messages make small pages, and a page is never empty for that.</summary>
    [Fact]
    public virtual async Task EntriesAreLimitedInBytesButAtLeastOneIsRead()
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

    /// <summary>Nobody is shown an entry that does not exist; a caller that asks for one has a bug.</summary>
    [Fact]
    public virtual async Task ARunBeyondTheHeadThrows()
    {
        await StoreAsync(Message(Direct, "ann", Both));

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => ExpandAsync([new Run(Direct, new(1), 2)]));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => ExpandAsync([new Run(Direct, new(1), 1), new Run("g:none", new(1), 1)]));
    }

    /// <summary>What was erased leaves its place: cursors go on, and nobody reads it any more.</summary>
    [Fact]
    public virtual async Task AnEntryWhoseBodyIsGoneKeepsItsPlace()
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
}
