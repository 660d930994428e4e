using Im.Testing.Specification;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Im.Storage.Sqlite;

/// <summary>What happens when a server opens a database.</summary>
public sealed class SqliteStartTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheFolderIsCreated()
    {
        await using var server = await SqliteServer.StartAsync(_folder["a/b/im.db"]);
        Assert.True(File.Exists(_folder["a/b/im.db"]));
    }

    [Fact]
    public async Task AConnectionStringIsAsGoodAsAPath()
    {
        await using var server = await SqliteServer.StartAsync($"Data Source={_folder["im.db"]};Pooling=true");
        Assert.Equal(_folder["im.db"], server.Storage.Database.Path);
        Assert.Equal(1, (await server.SendAsync()).Seq.Value);
    }

    [Theory]
    [InlineData(":memory:")]
    [InlineData("Data Source=:memory:")]
    [InlineData("Data Source=shared;Mode=Memory")]
    public void WithoutAFileTheOptionsAreRefused(string database)
    {
        using var services = SqliteFixture.Build(database);
        var refused = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<ImSqliteOptions>>().Value);
        Assert.Contains("UseSqlite(\"im.db\")", refused.Message);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("file:im.db?cache=shared")]
    public void ADatabaseThatIsNoPathIsRefusedByTheOptions(string? database)
    {
        using var services = SqliteFixture.Build(_folder["im.db"], options => options.Database = database!);
        var refused = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<ImSqliteOptions>>().Value);
        Assert.Contains("UseSqlite(\"im.db\")", refused.Message);
    }

    [Fact]
    public async Task APathThatCannotBeIsNotCalledInUse()
    {
        File.WriteAllText(_folder["file"], "");
        foreach (var path in new[] { _folder["file/im.db"], _folder[new string('a', 300)] })
        {
            var refused = await Assert.ThrowsAsync<ImStorageException>(() => SqliteServer.StartAsync(path));
            Assert.DoesNotContain("is in use", refused.Message);
            Assert.EndsWith("look at its disk and its folder.", refused.Message);
        }
    }

    [Fact]
    public async Task ASecondServerIsRefusedWithTheReasonUntilTheFirstHasStopped()
    {
        await using (await SqliteServer.StartAsync(_folder["im.db"]))
        {
            var refused = await Assert.ThrowsAsync<ImStorageException>(() => SqliteServer.StartAsync(_folder["im.db"]));
            Assert.Equal(ImStorageFailure.Unavailable, refused.Failure);
            Assert.Contains("is in use", refused.Message);
            Assert.Contains(_folder["im.db.lock"], refused.Message);
            Assert.Contains("UseSqlite(\"other.db\")", refused.Message);
        }

        await using var second = await SqliteServer.StartAsync(_folder["im.db"]);
        Assert.Equal(1, (await second.SendAsync()).Seq.Value);
    }

    [Fact]
    public async Task WriteAheadLogAndFullSynchronousAreReallySet()
    {
        await using var server = await SqliteServer.StartAsync(_folder["im.db"]);
        Assert.Equal("wal", await server.AskAsync("PRAGMA journal_mode"));
        Assert.Equal("2", await server.AskAsync("PRAGMA synchronous"));
        Assert.Equal("1", await server.AskAsync("PRAGMA query_only", reader: true));
        Assert.Equal("8192", await server.AskAsync("PRAGMA wal_autocheckpoint"));
    }

    [Fact]
    public async Task StoresThatAreUsedBeforeTheStartSayWhatIsMissing()
    {
        await using var services = SqliteFixture.Build(_folder["im.db"]);
        var messages = services.GetRequiredService<IMessageStore>();
        var refused = await Assert.ThrowsAsync<ImStorageException>(() => messages.GetGenerationAsync(CancellationToken.None).Soon());
        Assert.Contains("IStorageInitializer", refused.Message);
        Assert.False(File.Exists(_folder["im.db"]));
    }

    [Fact]
    public async Task NormalSynchronousIsAnOption()
    {
        await using var server = await SqliteServer.StartAsync(_folder["im.db"], options => options.Synchronous = ImSqliteSynchronous.Normal);
        Assert.Equal("1", await server.AskAsync("PRAGMA synchronous"));
    }

    [Fact]
    public async Task TheSameNewGenerationChangesTheGenerationOnce()
    {
        var first = await StartAndReadGenerationAsync(null);
        Assert.Equal(first, await StartAndReadGenerationAsync(null));
        var second = await StartAndReadGenerationAsync("2026-11-21");
        Assert.NotEqual(first, second);
        Assert.Equal(second, await StartAndReadGenerationAsync("2026-11-21"));
        Assert.Equal(second, await StartAndReadGenerationAsync(null));
        Assert.NotEqual(second, await StartAndReadGenerationAsync("2026-11-22"));
    }

    [Fact]
    public async Task TheStatementOfTheDocumentationChangesTheGeneration()
    {
        var first = await StartAndReadGenerationAsync(null);
        await using (var server = await SqliteServer.StartAsync(_folder["im.db"]))
        {
            await server.ExecuteAsync("UPDATE im_meta SET value = lower(hex(randomblob(16))) WHERE name = CAST('generation' AS BLOB);");
        }

        Assert.NotEqual(first, await StartAndReadGenerationAsync(null));
    }

    [Fact]
    public async Task TheLastCallOfUseSqliteCounts()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddImServer().UseSqlite(_folder["one.db"], options => options.Readers = 1).UseSqlite(_folder["two.db"]);
        await using var provider = services.BuildServiceProvider();
        await provider.InitializeAsync();

        Assert.False(File.Exists(_folder["one.db"]));
        Assert.True(File.Exists(_folder["two.db"]));
        Assert.Equal(1, provider.GetRequiredService<IOptions<ImSqliteOptions>>().Value.Readers);
        Assert.Single(provider.GetServices<IStorageInitializer>());
        Assert.Single(provider.GetServices<IMessageStore>());
    }

    [Fact]
    public async Task ItDoesNotMatterWhetherUseSqliteComesBeforeAddImServer()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        var builder = services.AddImServer().UseSqlite(_folder["im.db"]);
        builder.Services.AddImServer();
        await using var provider = services.BuildServiceProvider();
        await provider.InitializeAsync();
        Assert.IsType<Relational.Stores.RelationalMessageStore>(provider.GetRequiredService<IMessageStore>());
    }

    [Fact]
    public void TheDefaultsAreTheDocumentedOnes()
    {
        var options = new ImSqliteOptions();
        Assert.Equal("im.db", options.Database);
        Assert.Equal(ImSqliteSynchronous.Full, options.Synchronous);
        Assert.Equal(2, options.Readers);
        Assert.Equal(4096, options.MaxQueuedCalls);
        Assert.Equal(TimeSpan.FromSeconds(5), options.BusyTimeout);
        Assert.Equal(16 * 1024 * 1024, options.CacheBytes);
        Assert.Equal(32 * 1024 * 1024, options.CheckpointBytes);
        Assert.Null(options.MaxPageCount);
        Assert.True(options.CreateSchema);
        Assert.Null(options.NewGeneration);
    }

    [Fact]
    public void EverythingThatIsWrongIsReportedAtOnce()
    {
        using var services = SqliteFixture.Build(_folder["im.db"], options =>
        {
            options.Readers = 0;
            options.MaxQueuedCalls = 1;
            options.BusyTimeout = TimeSpan.FromHours(1);
            options.CacheBytes = 1;
            options.CheckpointBytes = 1;
            options.MaxPageCount = 1;
            options.Synchronous = (ImSqliteSynchronous)7;
            options.NewGeneration = "";
        });
        var refused = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<ImSqliteOptions>>().Value);
        Assert.Equal(8, refused.Failures.Count());
        Assert.Contains("ImSqliteOptions.Readers is 0; set 1 to 64.", refused.Failures);
    }

    private async Task<string> StartAndReadGenerationAsync(string? label)
    {
        await using var server = await SqliteServer.StartAsync(_folder["im.db"], options => options.NewGeneration = label);
        return await server.GenerationAsync().Soon();
    }
}
