using BenchmarkDotNet.Attributes;

namespace Im.Benchmarks.Stores;

/// <summary>One durable commit through the store contract, beside the same rows in plain SQL; both into databases of their own on the same server or disk.</summary>
/// <remarks>The store reads and locks heads, looks ids up, numbers and packs; the yardstick only writes. Both flush at each commit.</remarks>
[MemoryDiagnoser]
public class StoreCommitBenchmarks
{
    private StoreUnderTest _store = null!;
    private CommitShape _shape = null!;
    private RawCommit _raw = null!;

    [Params("sqlite", "mariadb")]
    public string Store { get; set; } = "";

    [Params("500x500", "1x100", "1x500")]
    public string Shape { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        var numbers = Array.ConvertAll(Shape.Split('x'), int.Parse);
        _store = StoreUnderTest.StartAsync(Store).GetAwaiter().GetResult();
        _shape = new CommitShape(numbers[0], numbers[1]);
        _shape.Observe(Append(_shape.Create()));
        _raw = new RawCommit(_store.OpenRaw(), new CommitShape(numbers[0], numbers[1]), numbers[0], manyRows: Store != "sqlite");
    }

    [Benchmark(Baseline = true)]
    public void RawSql() => _raw.Commit();

    [Benchmark]
    public void AppendAsync() => _shape.Observe(Append(_shape.Next()));

    [GlobalCleanup]
    public void Cleanup() => _store.DisposeAsync().AsTask().GetAwaiter().GetResult();

    private Im.Storage.AppendResult Append(Im.Storage.AppendBatch batch) =>
        _store.Messages.AppendAsync(batch, CancellationToken.None).AsTask().GetAwaiter().GetResult();
}
