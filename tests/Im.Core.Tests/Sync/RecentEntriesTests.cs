using Im.Model;
using Im.Storage;
using Im.Sync;
using Im.Timelines;

namespace Im.Core.Tests.Sync;

public sealed class RecentEntriesTests
{
    [Fact]
    public void ARunIsFoundFromAnyOfItsEntries()
    {
        var recent = new RecentEntries(1_000_000);
        recent.Add(Run("g:1", 1, 3));
        recent.Add(Run("g:1", 4, 5));
        recent.Add(Run("g:2", 1, 2));

        Assert.Equal((4L, 2, 3), Found(recent.Find("g:1", new ConversationSeq(6), 100)));
        Assert.Equal((1L, 0, 2), Found(recent.Find("g:1", new ConversationSeq(1), 2)));
        Assert.Equal((1L, 1, 1), Found(recent.Find("g:2", new ConversationSeq(2), 100)));
        Assert.Null(recent.Find("g:1", new ConversationSeq(9), 100));
        Assert.Null(recent.Find("g:3", new ConversationSeq(1), 100));
    }

    [Fact]
    public void TheOldestRunsGoWhenTheLimitIsReached()
    {
        var size = Run("g:1", 1, 1).Size;
        var recent = new RecentEntries(size * 3);
        for (var seq = 1; seq <= 100; seq++)
        {
            recent.Add(Run("g:1", seq, 1));
        }

        Assert.Null(recent.Find("g:1", new ConversationSeq(90), 1));
        Assert.NotNull(recent.Find("g:1", new ConversationSeq(99), 1));
        Assert.NotNull(recent.Find("g:1", new ConversationSeq(100), 1));
    }

    [Fact]
    public void NothingIsKeptWithoutALimit()
    {
        var recent = new RecentEntries(0);
        recent.Add(Run("g:1", 1, 1));
        Assert.Null(recent.Find("g:1", new ConversationSeq(1), 1));
    }

    private static (long First, int Skip, int Count) Found(RunSlice? slice) => (slice!.Value.Run.Run.First.Value, slice.Value.Skip, slice.Value.Count);

    private static EncodedRun Run(string conversationId, int first, int count) => EncodedRun.Create(
        [
            .. Enumerable.Range(first, count).Select(seq => new StoredEntry
            {
                ConversationId = conversationId,
                Seq = new ConversationSeq(seq),
                Ordinal = seq,
                SenderId = "a",
                ClientMessageId = "m",
                TimeMs = 1,
                Kind = EntryKind.Message,
                Body = new byte[100],
            }),
        ]);
}
