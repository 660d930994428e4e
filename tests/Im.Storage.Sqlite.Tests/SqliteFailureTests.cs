using Im.Testing.Specification;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage.Sqlite;

/// <summary>A database that takes no writes: clear errors, nothing half stored, and it goes on by itself when the cause is gone.</summary>
public sealed class SqliteFailureTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AFullDatabaseSaysSoAndGoesOnWhenThereIsRoom()
    {
        await using var server = await SqliteServer.StartAsync(_folder["im.db"], options => options.MaxPageCount = 200);
        var stored = 0;
        var full = await Assert.ThrowsAsync<ImStorageException>(async () =>
        {
            for (; stored < 1000; stored++)
            {
                await server.SendAsync("m" + stored, new string('x', 4000));
            }
        });
        Assert.Equal(ImStorageFailure.Full, full.Failure);
        Assert.Contains("ImSqliteOptions.MaxPageCount", full.Message);
        Assert.InRange(stored, 10, 999);

        // Reading goes on, and what was refused is not there.
        Assert.Equal(stored, await server.HeadAsync());
        Assert.Null((await server.Messages.FindSentAsync([new("ann", "m" + stored)], CancellationToken.None).Soon())[0]);
        var again = await Assert.ThrowsAsync<ImStorageException>(() => server.SendAsync("m" + stored, new string('x', 9000)));
        Assert.Equal(ImStorageFailure.Full, again.Failure);

        var unhealthy = await Assert.ThrowsAsync<ImStorageException>(() => server.Stores.Probe!.ProbeAsync(CancellationToken.None).Soon());
        Assert.Equal(ImStorageFailure.Full, unhealthy.Failure);

        await server.ExecuteAsync("PRAGMA max_page_count = 100000");
        await server.Stores.Probe!.ProbeAsync(CancellationToken.None).Soon();
        var sent = await server.SendAsync("m" + stored, new string('x', 4000));
        Assert.Equal((AppendOutcome.Stored, stored + 1L), (sent.Outcome, sent.Seq.Value));
        Assert.Equal(AppendOutcome.Duplicate, (await server.SendAsync("m0", new string('x', 4000))).Outcome);
    }

    [Fact]
    public async Task AReadOnlyDatabaseSaysSoAndGoesOnWhenItIsWritable()
    {
        await using var server = await SqliteServer.StartAsync(_folder["im.db"]);
        await server.SendAsync();
        await server.ExecuteAsync("PRAGMA query_only = 1");

        var refused = await Assert.ThrowsAsync<ImStorageException>(() => server.SendAsync("x"));
        Assert.Equal(ImStorageFailure.ReadOnly, refused.Failure);
        Assert.Contains("takes no writes", refused.Message);
        await Assert.ThrowsAsync<ImStorageException>(() => server.Stores.Probe!.ProbeAsync(CancellationToken.None).Soon());
        await Assert.ThrowsAsync<ImStorageException>(
            () => server.Stores.Devices.AckAsync([new("ann", "phone", TimelineKey.Inbox("ann"), 1)], CancellationToken.None).Soon());
        Assert.Equal(1, await server.HeadAsync());

        await server.ExecuteAsync("PRAGMA query_only = 0");
        await server.Stores.Probe!.ProbeAsync(CancellationToken.None).Soon();
        var sent = await server.SendAsync("x");
        Assert.Equal((AppendOutcome.Stored, 2L), (sent.Outcome, sent.Seq.Value));
    }

    [Fact]
    public async Task ADatabaseThatAnotherProgramHoldsIsUnavailableUntilItIsReleased()
    {
        await using var server = await SqliteServer.StartAsync(_folder["im.db"], options => options.BusyTimeout = TimeSpan.Zero);
        using (var other = server.Storage.Database.Connect())
        {
            using var transaction = other.BeginTransaction();
            var refused = await Assert.ThrowsAsync<ImStorageException>(() => server.SendAsync("x"));
            Assert.Equal(ImStorageFailure.Unavailable, refused.Failure);
            Assert.Contains("BusyTimeout", refused.Message);
        }

        Assert.Equal(1, (await server.SendAsync("x")).Seq.Value);
    }

    [Fact]
    public async Task AFileThatIsNoDatabaseIsRefused()
    {
        await File.WriteAllTextAsync(_folder["im.db"], string.Join('\n', Enumerable.Range(0, 1000)));
        var refused = await Assert.ThrowsAsync<ImStorageException>(() => SqliteServer.StartAsync(_folder["im.db"]));
        Assert.Equal(ImStorageFailure.Refused, refused.Failure);
        Assert.Contains("restore a backup", refused.Message);
    }

    [Fact]
    public async Task ABatchNumberIsUsedOnce()
    {
        await using var server = await SqliteServer.StartAsync(_folder["im.db"]);
        var first = Batch(Message(SqliteServer.Direct, "ann", SqliteServer.Both));
        var second = Batch(Message(SqliteServer.Direct, "ann", SqliteServer.Both));
        var again = new AppendBatch
        {
            NodeName = first.NodeName,
            BatchNumber = first.BatchNumber,
            Items = second.Items,
            Timelines = second.Timelines,
            ProposedHeads = second.ProposedHeads,
        };
        Assert.True((await server.Messages.AppendAsync(first, CancellationToken.None).Soon()).Committed);

        var refused = await Assert.ThrowsAsync<ImStorageException>(() => server.Messages.AppendAsync(again, CancellationToken.None).Soon());
        Assert.Equal(ImStorageFailure.Unavailable, refused.Failure);
        Assert.Contains("NodeName", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, await server.HeadAsync());
    }

    [Fact]
    public async Task AfterTheServerHasStoppedCallersAreRefused()
    {
        var server = await SqliteServer.StartAsync(_folder["im.db"]);
        var messages = server.Messages;
        await server.DisposeAsync();
        var refused = await Assert.ThrowsAsync<ImStorageException>(() => messages.GetGenerationAsync(CancellationToken.None).Soon());
        Assert.Contains("shutting down", refused.Message);
    }
}
