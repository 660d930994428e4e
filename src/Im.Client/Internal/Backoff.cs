namespace Im.Client.Internal;

internal static class Backoff
{
    /// <summary>The delay doubled for each attempt, limited.</summary>
    public static TimeSpan Exponential(TimeSpan min, TimeSpan max, int attempt) =>
        TimeSpan.FromTicks((long)Math.Min(max.Ticks, min.Ticks * Math.Pow(2, Math.Min(attempt, 40))));

    /// <summary>A random part of it ("full jitter"), so that clients that were cut together do not come back together.</summary>
    public static TimeSpan FullJitter(TimeSpan min, TimeSpan max, int attempt) => Exponential(min, max, attempt) * Random.Shared.NextDouble();
}
