using Im.Storage;
using Im.Timelines;

namespace Im.Testing.Specification;

public abstract partial class StorageModelSpecification
{
    private async Task EraseAsync(string user, string conversation)
    {
        if (Stores.UserData is null || Reference.UserData is null)
        {
            return;
        }

        var first = _random.NextInt64(1, 20);
        var (from, to) = (new ConversationSeq(first), new ConversationSeq(first + _random.Next(20)));
        Assert.Equal(
            await Reference.UserData.EraseBodiesAsync(conversation, from, to, user, CancellationToken.None).Soon(),
            await Stores.UserData.EraseBodiesAsync(conversation, from, to, user, CancellationToken.None).Soon());
        var expected = await Reference.UserData.ListStaysAsync(user, null, 100, CancellationToken.None).Soon();
        var actual = await Stores.UserData.ListStaysAsync(user, null, 100, CancellationToken.None).Soon();
        Assert.Equal(expected.Select(stays => (stays.ConversationId, stays.Head)), actual.Select(stays => (stays.ConversationId, stays.Head)));
        Assert.Equal(expected.Select(stays => stays.Stays), actual.Select(stays => stays.Stays));
    }

    private async Task ExpireConversationsAsync()
    {
        var limits = new RetentionLimits
        {
            EntriesBeforeMs = _random.Next(2) == 0 ? _random.Next(800) : null,
            EntriesPerConversation = _random.Next(2) == 0 ? _random.Next(5, 60) : null,
        };
        await PassAsync((store, after, rows) => store.ExpireConversationsAsync(after, limits, rows, CancellationToken.None));
        var timelines = RandomItems.ConversationIds.Select(TimelineKey.Conversation).ToList();
        Assert.Equal(
            await Reference.Messages.GetHeadsAsync(timelines, CancellationToken.None).Soon(),
            await Messages.GetHeadsAsync(timelines, CancellationToken.None).Soon());
    }

    private async Task ExpireInboxesAsync()
    {
        var limits = new RetentionLimits
        {
            EntriesPerInbox = _random.Next(3) == 0 ? _random.Next(5, 100) : null,
            MergeBeforeMs = _random.Next(2) == 0 ? _random.Next(3000) : null,
            MergedChunkEntries = _random.Next(2, 40),
        };
        await PassAsync((store, after, rows) => store.ExpireInboxesAsync(after, limits, rows, CancellationToken.None));
        foreach (var user in RandomItems.Users)
        {
            await ComparePageAsync(user, 0, int.MaxValue);
        }
    }

    /// <summary>A whole pass on both, in bites of one size.</summary>
    private async Task PassAsync(Func<IRetentionStore, string?, int, ValueTask<RetentionBite>> bite)
    {
        if (Stores.Retention is not { } adapter || Reference.Retention is not { } reference)
        {
            return;
        }

        var rows = _random.Next(5, 100);
        foreach (var store in new[] { reference, adapter })
        {
            var bites = 0;
            string? after = null;
            do
            {
                Assert.True(++bites < 2000, "The pass does not end.");
                after = (await bite(store, after, rows).Soon()).Next;
            }
            while (after is not null);
        }
    }
}
