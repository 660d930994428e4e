namespace Im.Outbox.Tests.Support;

/// <summary>A clock that stands still until a test moves it. Nothing of what is tested with it waits.</summary>
internal sealed class FakeTime : TimeProvider
{
    private long _now = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _now);

    public override DateTimeOffset GetUtcNow() => new(GetTimestamp(), TimeSpan.Zero);

    public void Advance(TimeSpan by) => Interlocked.Add(ref _now, by.Ticks);
}
