using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Im.LoadGenerator.Checks;

/// <summary>Counts durations in buckets that are linear within each power of two: every value is kept to within 1.6 %.</summary>
internal sealed class Histogram
{
    private const int SubBits = 6;
    private const int SubBuckets = 1 << SubBits;

    private readonly long[] _counts = new long[SubBuckets * (66 - SubBits)];

    public long Count { get; private set; }

    public long Max { get; private set; }

    /// <param name="ticks">A difference of two timestamps of <see cref="Stopwatch"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(long ticks)
    {
        ticks = Math.Max(0, ticks);
        _counts[IndexOf((ulong)ticks)]++;
        Count++;
        Max = Math.Max(Max, ticks);
    }

    public void Clear()
    {
        Array.Clear(_counts);
        Count = Max = 0;
    }

    /// <summary>The value in milliseconds below which that part of the values lies; null without values.</summary>
    public double? GetMs(double quantile)
    {
        if (Count == 0)
        {
            return null;
        }

        var rank = Math.Max(1, (long)Math.Ceiling(quantile * Count));
        var seen = 0L;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank)
            {
                return Math.Min(UpperEnd(i), Max) * 1000.0 / Stopwatch.Frequency;
            }
        }

        return Max * 1000.0 / Stopwatch.Frequency;
    }

    // Values below 64 have a bucket each; above, the six bits after the highest one choose within the power of two.
    internal static int IndexOf(ulong value)
    {
        var shift = Math.Max(0, 63 - BitOperations.LeadingZeroCount(value | 1) - SubBits);
        return (shift << SubBits) + (int)(value >> shift);
    }

    internal static long UpperEnd(int index)
    {
        var shift = Math.Max(0, (index >> SubBits) - 1);
        return ((long)(index - (shift << SubBits) + 1) << shift) - 1;
    }
}
