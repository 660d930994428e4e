using System.Diagnostics;
using Im.LoadGenerator.Checks;

namespace Im.LoadGenerator.Tests.Checks;

public sealed class HistogramTests
{
    [Fact]
    public void EveryValueIsKeptToWithin2Percent()
    {
        var values = Enumerable.Range(0, 2000).Select(i => (ulong)i).Concat(Enumerable.Range(0, 63).SelectMany(Around));
        foreach (var value in values)
        {
            var upper = (ulong)Histogram.UpperEnd(Histogram.IndexOf(value));
            Assert.InRange(upper, value, value + (value / 50));
        }
    }

    [Fact]
    public void BucketsFollowEachOther()
    {
        for (var i = 1; i < 3000; i++)
        {
            Assert.Equal(i, Histogram.IndexOf((ulong)Histogram.UpperEnd(i - 1) + 1));
        }
    }

    [Fact]
    public void AQuantileIsTheValueBelowWhichThatPartLies()
    {
        var histogram = new Histogram();
        Assert.Null(histogram.GetMs(0.5));
        for (var ms = 1; ms <= 1000; ms++)
        {
            histogram.Add(ms * Stopwatch.Frequency / 1000);
        }

        Assert.InRange(histogram.GetMs(0.5)!.Value, 499, 510);
        Assert.InRange(histogram.GetMs(0.99)!.Value, 989, 1000);
        Assert.InRange(histogram.GetMs(0.999)!.Value, 998, 1000);
        Assert.Equal(1000, histogram.GetMs(1)!.Value, 3);
    }

    private static IEnumerable<ulong> Around(int power) => [(1UL << power) - 1, 1UL << power, (1UL << power) + 1];
}
