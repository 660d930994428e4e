using Im.Timelines;

namespace Im.Storage;

/// <summary>What <see cref="BatchNumbering"/> made of a batch: the runs, the classes and the heads after it.</summary>
public sealed class NumberedBatch
{
    private readonly int[][] _classTimelines;

    internal NumberedBatch(Run[] runs, AppendedClass[] classes, int[][] classTimelines, long[] heads, long[] ordinals)
    {
        Runs = runs;
        Classes = classes;
        _classTimelines = classTimelines;
        Heads = heads;
        Ordinals = ordinals;
    }

    /// <summary>One run for each conversation that got entries, in the order of their first entries.</summary>
    public IReadOnlyList<Run> Runs { get; }

    /// <summary>The inbox chunks, grouped by class; every inbox that got entries stands in exactly one class.</summary>
    public IReadOnlyList<AppendedClass> Classes { get; }

    /// <summary>The heads after the batch, in the order of its timelines.</summary>
    public ReadOnlyMemory<long> Heads { get; }

    /// <summary>The ordinals after the batch, in the order of its timelines; 0 for inboxes.</summary>
    public ReadOnlyMemory<long> Ordinals { get; }

    /// <summary>Where the inboxes of a class stand in the batch's timelines, in the order of the class's users.</summary>
    public ReadOnlySpan<int> TimelinesOf(int classIndex) => _classTimelines[classIndex];
}
