using System.Diagnostics;

namespace Im.Testing.Specification;

/// <summary>What the suites of a cluster need: an empty one before each fact, and nodes that are closed after it.</summary>
public abstract class ClusterSpecification(IClusterFixture fixture) : IAsyncLifetime
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    private readonly List<ClusterNodeParts> _nodes = [];

    /// <summary>The adapter under test.</summary>
    protected IClusterFixture Fixture => fixture;

    /// <summary>Empties the cluster.</summary>
    public virtual async Task InitializeAsync() => await fixture.ResetAsync().Soon();

    /// <summary>Closes the nodes.</summary>
    public virtual async Task DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await fixture.CloseAsync(node).Soon();
        }
    }

    /// <summary>One more node.</summary>
    protected async Task<ClusterNodeParts> CreateNodeAsync()
    {
        var node = await fixture.CreateNodeAsync().Soon();
        _nodes.Add(node);
        return node;
    }

    /// <summary>What the nodes share comes back empty; without that ability the fact is skipped.</summary>
    protected async Task RestartEmptyAsync()
    {
        var fault = fixture as ILosesEverything
            ?? throw new MissingAbilityException("The fixture cannot restart what nodes share (ILosesEverything).");
        await fault.RestartEmptyAsync().Soon();
    }

    /// <summary>Waits until something is so; fails after a while.</summary>
    protected static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(watch.Elapsed < TimeLimit.Default, $"Not within {TimeLimit.Default}: {what}");
            await Task.Delay(Poll);
        }
    }

    /// <summary>Waits until something is so; fails after a while.</summary>
    protected static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);
}
