using System.Collections.Concurrent;

namespace Im.ClusterTests.Load;

/// <summary>What must not be, as it is found; the first ones are kept.</summary>
internal sealed class Problems
{
    private const int MaxKept = 30;

    private readonly ConcurrentQueue<string> _first = new();
    private int _count;

    public void Add(string problem)
    {
        if (Interlocked.Increment(ref _count) <= MaxKept)
        {
            _first.Enqueue(problem);
        }
    }

    public void AssertNone() => Assert.True(_count == 0, $"{_count} problems:\n{string.Join('\n', _first)}");
}
