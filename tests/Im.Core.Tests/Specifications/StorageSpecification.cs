using Im.Storage;
using Im.Timelines;

namespace Im.Testing.Specification;

/// <summary>What all suites need: empty stores before each fact, and short ways to write and read.</summary>
public abstract class StorageSpecification(IStorageFixture fixture) : IAsyncLifetime
{
    private StoreSet? _stores;

    protected IStorageFixture Fixture => fixture;

    protected IMessageStore Messages => _stores!.Messages;

    protected IGroupStore Groups => _stores!.Groups;

    protected IConversationStore Conversations => _stores!.Conversations;

    protected IDeviceStore Devices => _stores!.Devices;

    public async Task InitializeAsync()
    {
        await fixture.ResetAsync().Soon();
        _stores = await fixture.CreateAsync().Soon();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    /// <summary>Appends items in one batch, whatever the heads.</summary>
    protected async Task<AppendResult> AppendAsync(params AppendItem[] items)
    {
        var result = await Messages.AppendAsync(TestItems.Batch(items), CancellationToken.None).Soon();
        Assert.True(result.Committed);
        Assert.Equal(items.Length, result.Items.Count);
        return result;
    }

    /// <summary>Appends one item that must be stored.</summary>
    protected async Task<AppendItemResult> StoreAsync(AppendItem item)
    {
        var result = (await AppendAsync(item)).Items[0];
        Assert.Equal(AppendOutcome.Stored, result.Outcome);
        return result;
    }

    protected async Task<AppendOutcome> OutcomeAsync(AppendItem item) => (await AppendAsync(item)).Items[0].Outcome;

    protected async Task<TimelineHead> HeadAsync(TimelineKey timeline) =>
        (await Messages.GetHeadsAsync([timeline], CancellationToken.None).Soon())[0];

    protected async Task<InboxPage> ReadAsync(string userId, long after = 0, int maxEntries = int.MaxValue) =>
        (await Messages.ReadInboxesAsync([new InboxRead(userId, new InboxSeq(after), maxEntries)], CancellationToken.None).Soon())[0];

    protected async Task<IReadOnlyList<StoredEntry>> ExpandAsync(IReadOnlyList<Run> runs, int maxBytes = int.MaxValue) =>
        await Messages.ReadEntriesAsync(runs, maxBytes, CancellationToken.None).Soon();

    /// <summary>A user's whole inbox, expanded.</summary>
    protected async Task<IReadOnlyList<StoredEntry>> InboxAsync(string userId)
    {
        var page = await ReadAsync(userId);
        return page.Runs.Count == 0 ? [] : await ExpandAsync(page.Runs);
    }

    protected async Task<UserConversation?> SeeAsync(string userId, string conversationId) =>
        (await Conversations.GetAsync(userId, [conversationId], CancellationToken.None).Soon())[0];

    protected static string[] Ids(IEnumerable<StoredEntry> entries) => [.. entries.Select(entry => entry.ClientMessageId)];
}
