namespace Im.ClusterTests.Node;

/// <summary>A machine whose clock is wrong: its time of day is shifted, its seconds are as long as everybody's.</summary>
internal sealed class ShiftedClock(TimeSpan offset) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + offset;
}
