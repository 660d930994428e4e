using System.Diagnostics.Metrics;
using Im.Storage.Relational;
using Im.Storage.Relational.Append;
using Im.Testing.Specification;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage.Sqlite;

/// <summary>Commits that fail: run again where nothing has happened, and never answered with what nobody knows.</summary>
public sealed class SqliteCommitTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly SqlCommitHook _hook = new();
    private SqliteServer _server = null!;

    public async Task InitializeAsync() => _server = await SqliteServer.StartAsync(_folder["im.db"]);

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task ACommitThatFailsAgainAndAgainIsGivenUpAndNothingIsStored()
    {
        var tries = 0;
        _hook.Before = () =>
        {
            tries++;
            throw new IOException("lost");
        };
        using var metrics = new SqlMetrics();
        using var counted = new RetryCounter(metrics);
        using var worker = Worker(_server.Storage.Database, metrics);

        var refused = Assert.Throws<ImStorageException>(() => Appender.Append(worker, NewBatch("x")));

        Assert.Equal((ImStorageFailure.Unavailable, 3), (refused.Failure, tries));
        Assert.IsType<IOException>(refused.InnerException);
        Assert.Equal(2, counted.Retries);
        Assert.Equal(0, await _server.HeadAsync());
        Assert.Null((await _server.Messages.FindSentAsync([new("ann", "x")], CancellationToken.None).Soon())[0]);
    }

    // No client gets so far with such ids; whatever brings them, the lane goes on.
    [Fact]
    public async Task IdsThatAreTheSameAsBytesAreRefusedAndDoNotStopTheLane()
    {
        var batch = Batch(Message(SqliteServer.Direct, "ann", SqliteServer.Both, id: "\uD800"), Message(SqliteServer.Direct, "ann", SqliteServer.Both, id: "\uD801"));
        var refused = await Assert.ThrowsAsync<ImStorageException>(() => _server.Messages.AppendAsync(batch, CancellationToken.None).Soon());
        Assert.Equal(ImStorageFailure.Refused, refused.Failure);
        Assert.Equal(1, (await _server.SendAsync("x")).Seq.Value);
    }

    // The message is not to blame: it is to come again.
    [Fact]
    public async Task ABatchNumberThatAnotherProcessHasUsedIsNoRefusalOfTheMessage()
    {
        var (first, second) = (NewBatch("x"), NewBatch("y"));
        await _server.Messages.AppendAsync(first, CancellationToken.None).Soon();
        var again = new AppendBatch
        {
            NodeName = first.NodeName,
            BatchNumber = first.BatchNumber,
            Items = second.Items,
            Timelines = second.Timelines,
            ProposedHeads = second.ProposedHeads,
        };
        var failed = await Assert.ThrowsAsync<ImStorageException>(() => _server.Messages.AppendAsync(again, CancellationToken.None).Soon());
        Assert.Equal(ImStorageFailure.Unavailable, failed.Failure);
        Assert.Contains("NodeName", failed.Message, StringComparison.Ordinal);
        Assert.Equal(1, await _server.HeadAsync());
        Assert.Equal(2, (await _server.SendAsync("y")).Seq.Value);
    }

    [Fact]
    public async Task AnOutcomeThatNobodyKnowsIsSaidToBeUnknownAndTheIdAnswersLater()
    {
        var dialect = new UnreachableDialect(_server.Storage.Database);
        _hook.After = () =>
        {
            dialect.IsUnreachable = true;
            throw new IOException("lost");
        };
        using var worker = Worker(dialect, null);

        var unknown = Assert.Throws<ImStorageException>(() => Appender.Append(worker, NewBatch("x")));

        Assert.Equal(ImStorageFailure.OutcomeUnknown, unknown.Failure);
        Assert.Equal(AppendOutcome.Duplicate, (await _server.SendAsync("x")).Outcome);
        Assert.Equal(1, await _server.HeadAsync());
    }

    [Fact]
    public void ADatabaseThatCannotBeOpenedIsUnavailable()
    {
        using var worker = Worker(new UnreachableDialect(_server.Storage.Database) { IsUnreachable = true }, null);
        var refused = Assert.Throws<ImStorageException>(() => Appender.Append(worker, NewBatch("x")));
        Assert.Equal(ImStorageFailure.Unavailable, refused.Failure);
    }

    private static AppendBatch NewBatch(string id) => Batch(Message(SqliteServer.Direct, "ann", SqliteServer.Both, id: id));

    private SqlWorker Worker(SqlDialect dialect, SqlMetrics? metrics) => new(
        dialect,
        forWrites: true,
        new SqlLaneSettings { CommitHook = _hook, CommitOutcomeTimeout = TimeSpan.FromMilliseconds(10), Metrics = metrics },
        CancellationToken.None);

    private sealed class UnreachableDialect(SqlDialect inner) : SqlDialect
    {
        public bool IsUnreachable { get; set; }

        public override string Name => inner.Name;

        public override bool LocksRows => inner.LocksRows;

        public override SqlSession Open(bool forWrites) => IsUnreachable ? throw new IOException("unreachable") : inner.Open(forWrites);

        public override SqlFault Classify(Exception exception) => inner.Classify(exception);
    }

    private sealed class RetryCounter : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _retries;

        public RetryCounter(SqlMetrics metrics)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                // Other tests have meters of the same name.
                if (ReferenceEquals(instrument.Meter, metrics.Meter) && instrument.Name == "im.storage.retries")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref _retries, count));
            _listener.Start();
        }

        public long Retries => Interlocked.Read(ref _retries);

        public void Dispose() => _listener.Dispose();
    }
}
