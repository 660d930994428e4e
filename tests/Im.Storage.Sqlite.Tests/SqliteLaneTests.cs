using Im.Storage.Relational;
using Im.Testing.Specification;

namespace Im.Storage.Sqlite;

/// <summary>One thread writes, some read, and they do not wait for each other.</summary>
public sealed class SqliteLaneTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private SqliteServer _server = null!;

    private SqlLanes Readers => _server.Storage.Lanes.Read;

    private SqlLanes Writer => _server.Storage.Lanes.Write;

    public async Task InitializeAsync() => _server = await SqliteServer.StartAsync(_folder["im.db"], options => options.MaxQueuedCalls = 16);

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task AReadThatTakesLongDoesNotHoldUpAppendsAndSeesOneMoment()
    {
        await _server.SendAsync();
        using var release = new ManualResetEventSlim();
        var reading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var read = Readers.ReadAsync(
            session =>
            {
                var before = Head(session);
                reading.SetResult();
                Assert.True(release.Wait(TimeLimit.Default));
                return (before, Head(session));
            },
            CancellationToken.None);
        await reading.Task.Soon();

        for (var i = 2; i <= 20; i++)
        {
            Assert.Equal(i, (await _server.SendAsync()).Seq.Value);
        }

        // The other reader sees them already.
        Assert.Equal(20, await _server.HeadAsync());
        release.Set();
        Assert.Equal((1L, 1L), await read.Soon());
    }

    [Fact]
    public async Task AWriteThatTakesLongDoesNotHoldUpReads()
    {
        await _server.SendAsync();
        using var release = new ManualResetEventSlim();
        var write = Writer.WriteAsync(_ => release.Wait(TimeLimit.Default), CancellationToken.None);
        Assert.Equal(1, await _server.HeadAsync());
        release.Set();
        Assert.True(await write.Soon());
    }

    [Fact]
    public async Task ACallThatIsCancelledWhileItWaitsNeverRuns()
    {
        using var release = new ManualResetEventSlim();
        using var cancellation = new CancellationTokenSource();
        var first = Writer.WriteAsync(_ => release.Wait(TimeLimit.Default), CancellationToken.None);
        var hasRun = false;
        var second = Writer.WriteAsync(_ => hasRun = true, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.Soon());
        release.Set();
        await first.Soon();
        await _server.SendAsync();
        Assert.False(hasRun);
    }

    [Fact]
    public async Task CallersWaitWhileTheQueueIsFullAndAllAreServed()
    {
        using var release = new ManualResetEventSlim();
        var first = Writer.WriteAsync(_ => release.Wait(TimeLimit.Default), CancellationToken.None);
        var more = Enumerable.Range(0, 100).Select(i => Writer.WriteAsync(_ => i, CancellationToken.None)).ToArray();
        release.Set();
        Assert.True(await first.Soon());
        Assert.Equal(Enumerable.Range(0, 100), await Task.WhenAll(more).Soon());
    }

    [Fact]
    public async Task AFailureInTheMiddleOfATransactionLeavesNothingOfIt()
    {
        await _server.SendAsync();
        await Assert.ThrowsAsync<ImStorageException>(() => Writer.WriteAsync<int>(
            session =>
            {
                session.Prepare("DELETE FROM im_entries").Execute();
                session.Prepare("SELECT head FROM im_conversations").Read();
                throw new InvalidDataException("broken");
            },
            CancellationToken.None).Soon());
        Assert.Equal(2, (await _server.SendAsync()).Seq.Value);
        Assert.Equal("2", await _server.AskAsync("SELECT count(*) FROM im_entries"));
    }

    [Fact]
    public async Task DisposingRefusesWhatWaitsAndEndsWhatRuns()
    {
        using var release = new ManualResetEventSlim();
        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = Writer.WriteAsync(
            _ =>
            {
                running.SetResult();
                return release.Wait(TimeLimit.Default);
            },
            CancellationToken.None);
        await running.Task.Soon();
        var waiting = Enumerable.Range(0, 40).Select(i => Writer.WriteAsync(_ => i, CancellationToken.None)).ToArray();
        var disposing = Task.Run(Writer.Dispose);
        foreach (var call in waiting)
        {
            await Assert.ThrowsAsync<ImStorageException>(() => call.Soon());
        }

        release.Set();
        Assert.True(await first.Soon());
        await disposing.Soon();
    }

    private static long Head(SqlSession session)
    {
        var statement = session.Prepare("SELECT max(head) FROM im_conversations");
        var head = statement.Read() ? statement.GetInt64(0) : 0;
        statement.Clear();
        return head;
    }
}
