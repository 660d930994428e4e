using Im.Testing.Specification;
using Im.Timelines;

namespace Im.Storage.Sqlite;

/// <summary>What retention does to the rows, which the suites cannot see.</summary>
public sealed class SqliteRetentionBiteTests : IAsyncLifetime
{
    private const string ChunksOfBob = "SELECT count(*) FROM im_inbox_chunks WHERE user_id = CAST('bob' AS BLOB)";

    private readonly TempFolder _folder = new();
    private SqliteServer _server = null!;

    private IRetentionStore Retention => _server.Stores.Retention!;

    public async Task InitializeAsync() =>
        _server = await SqliteServer.StartAsync(_folder["im.db"], options => options.Synchronous = ImSqliteSynchronous.Normal);

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task SmallChunksBecomeFewAndWhatIsFullIsNotLookedAtAgain()
    {
        await SendAsync(25);
        // Of each inbox 25 become three.
        Assert.Equal(44, (await MergeAsync(10)).MergedChunks);
        Assert.Equal("3", await _server.AskAsync(ChunksOfBob));
        Assert.Equal("20", await _server.AskAsync("SELECT merged_seq FROM im_inboxes WHERE user_id = CAST('bob' AS BLOB)"));
        Assert.Equal(0, (await MergeAsync(10)).MergedChunks);

        // The last one was not full: it grows.
        await SendAsync(5);
        Assert.Equal(10, (await MergeAsync(10)).MergedChunks);
        Assert.Equal("3", await _server.AskAsync(ChunksOfBob));
        var page = (await _server.Messages.ReadInboxesAsync([new("bob", default, int.MaxValue)], CancellationToken.None).Soon())[0];
        Assert.Equal([new Run(SqliteServer.Direct, new(1), 30)], page.Runs);
    }

    [Fact]
    public async Task AChunkThatIsYoungIsNotMerged()
    {
        await SendAsync(10);
        var bite = await Retention.ExpireInboxesAsync(null, new RetentionLimits { MergeBeforeMs = 1_000 }, 1000, CancellationToken.None).Soon();
        Assert.Equal(default, bite);
    }

    [Fact]
    public async Task ExpiredRowsAreReallyDeleted()
    {
        await SendAsync(10);
        var limits = new RetentionLimits
        {
            EntriesPerConversation = 3,
            EntriesPerInbox = 3,
            SentBeforeMs = long.MaxValue,
            CommitsBeforeMs = long.MaxValue,
        };
        Assert.Equal(7, (await Retention.ExpireConversationsAsync(null, limits, 1000, CancellationToken.None).Soon()).DeletedEntries);
        Assert.Equal(14, (await Retention.ExpireInboxesAsync(null, limits, 1000, CancellationToken.None).Soon()).DeletedChunks);

        // Ten ids, and of ten commits all but the newest; in bites.
        var (rows, bites) = (0, 0);
        RetentionBite bite;
        do
        {
            bite = await Retention.ExpireLogsAsync(limits, 4, CancellationToken.None).Soon();
            Assert.InRange(bite.DeletedRows, 0, 4);
            rows += bite.DeletedRows;
            bites++;
        }
        while (bite.Next is not null);

        Assert.Equal((19, 5), (rows, bites));
        Assert.Equal("3", await _server.AskAsync("SELECT count(*) FROM im_entries"));
        Assert.Equal("3", await _server.AskAsync(ChunksOfBob));
        Assert.Equal("0", await _server.AskAsync("SELECT count(*) FROM im_sent"));
        Assert.Equal("1", await _server.AskAsync("SELECT count(*) FROM im_commits"));
        Assert.NotEqual(0, await _server.Messages.GetLastBatchNumberAsync("test", CancellationToken.None).Soon());
    }

    private Task<RetentionBite> MergeAsync(int entries) => Retention.ExpireInboxesAsync(
        null, new RetentionLimits { MergeBeforeMs = long.MaxValue, MergedChunkEntries = entries }, 1000, CancellationToken.None).Soon();

    private async Task SendAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await _server.SendAsync();
        }
    }
}
