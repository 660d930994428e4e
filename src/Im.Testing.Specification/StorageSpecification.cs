using Im.Storage;
using Im.Timelines;

namespace Im.Testing.Specification;

/// <summary>What all suites need: empty stores before each fact, and short ways to write and read.</summary>
public abstract class StorageSpecification(IStorageFixture fixture) : IAsyncLifetime
{
    private StoreSet? _stores;

    /// <summary>The adapter under test.</summary>
    protected IStorageFixture Fixture => fixture;

    /// <summary>The stores that the fact works on.</summary>
    protected StoreSet Stores => _stores ?? throw new InvalidOperationException("The stores are open only while a fact runs.");

    /// <summary>The adapter's <see cref="IMessageStore"/>.</summary>
    protected IMessageStore Messages => Stores.Messages;

    /// <summary>The adapter's <see cref="IGroupStore"/>.</summary>
    protected IGroupStore Groups => Stores.Groups;

    /// <summary>The adapter's <see cref="IConversationStore"/>.</summary>
    protected IConversationStore Conversations => Stores.Conversations;

    /// <summary>The adapter's <see cref="IDeviceStore"/>.</summary>
    protected IDeviceStore Devices => Stores.Devices;

    /// <summary>The adapter's <see cref="IRetentionStore"/>; without one the fact is skipped.</summary>
    protected IRetentionStore Retention =>
        Stores.Retention ?? throw new MissingAbilityException("The fixture's StoreSet has no Retention (IRetentionStore).");

    /// <summary>The adapter's <see cref="IUserDataStore"/>; without one the fact is skipped.</summary>
    protected IUserDataStore UserData =>
        Stores.UserData ?? throw new MissingAbilityException("The fixture's StoreSet has no UserData (IUserDataStore).");

    /// <summary>The adapter's <see cref="ISendQueue"/>; without one the fact is skipped.</summary>
    protected ISendQueue SendQueue =>
        Stores.SendQueue ?? throw new MissingAbilityException("The fixture's StoreSet has no SendQueue (ISendQueue).");

    /// <summary>Empties the storage and opens the stores.</summary>
    public virtual async Task InitializeAsync()
    {
        await fixture.ResetAsync().Soon();
        _stores = await fixture.CreateAsync().Soon();
    }

    /// <summary>Closes the stores.</summary>
    public virtual Task DisposeAsync() => CloseAsync();

    /// <summary>Closes the stores, if they are open.</summary>
    protected async Task CloseAsync()
    {
        if (_stores is { } stores)
        {
            _stores = null;
            await fixture.CloseAsync(stores).Soon();
        }
    }

    /// <summary>Closes the stores and opens them again, as a restart of the server does.</summary>
    protected async Task ReopenAsync()
    {
        await CloseAsync();
        _stores = await fixture.CreateAsync().Soon();
    }

    /// <summary>Closes the stores, empties the storage and opens it again.</summary>
    protected async Task ResetAsync()
    {
        await CloseAsync();
        await fixture.ResetAsync().Soon();
        _stores = await fixture.CreateAsync().Soon();
    }

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

    /// <summary>Appends one item and tells what became of it.</summary>
    protected async Task<AppendOutcome> OutcomeAsync(AppendItem item) => (await AppendAsync(item)).Items[0].Outcome;

    /// <summary>The head row of a timeline.</summary>
    protected async Task<TimelineHead> HeadAsync(TimelineKey timeline) =>
        (await Messages.GetHeadsAsync([timeline], CancellationToken.None).Soon())[0];

    /// <summary>A page of a user's inbox.</summary>
    protected async Task<InboxPage> ReadAsync(string userId, long after = 0, int maxEntries = int.MaxValue) =>
        (await Messages.ReadInboxesAsync([new InboxRead(userId, new InboxSeq(after), maxEntries)], CancellationToken.None).Soon())[0];

    /// <summary>The entries of runs.</summary>
    protected async Task<IReadOnlyList<StoredEntry>> ExpandAsync(IReadOnlyList<Run> runs, int maxBytes = int.MaxValue) =>
        await Messages.ReadEntriesAsync(runs, maxBytes, CancellationToken.None).Soon();

    /// <summary>A user's whole inbox, expanded.</summary>
    protected async Task<IReadOnlyList<StoredEntry>> InboxAsync(string userId)
    {
        var page = await ReadAsync(userId);
        return page.Runs.Count == 0 ? [] : await ExpandAsync(page.Runs);
    }

    /// <summary>A conversation as a user sees it; null where the user is not a member.</summary>
    protected async Task<UserConversation?> SeeAsync(string userId, string conversationId) =>
        (await Conversations.GetAsync(userId, [conversationId], CancellationToken.None).Soon())[0];

    /// <summary>The client message ids of entries.</summary>
    protected static string[] Ids(IEnumerable<StoredEntry> entries) => [.. entries.Select(entry => entry.ClientMessageId)];
}
