using Im.Outbox.Internal;
using Im.Outbox.Tests.Support;

namespace Im.Outbox.Tests;

/// <summary>Ids sort by time and by the order in which they were made.</summary>
public sealed class OutboxIdsTests
{
    [Fact]
    public void IdsOfOneProcessRiseEvenWhenTheClockStandsStillOrGoesBack()
    {
        var time = new FakeTime();
        var ids = new OutboxIds(time);
        var made = new List<string>();
        for (var i = 0; i < 3000; i++)
        {
            made.Add(ids.Next());
            time.Advance(TimeSpan.FromMilliseconds((i % 5) - 2));
        }

        Assert.Equal(made.Order(StringComparer.Ordinal), made);
        Assert.All(made, id => Assert.Equal(OutboxIds.Length, id.Length));
        Assert.All(made, id => Assert.All(id, c => Assert.True(char.IsAsciiHexDigitLower(c))));
    }

    [Fact]
    public void IdsOfLaterTimesAreHigherWhateverTheirProcess()
    {
        var time = new FakeTime();
        var one = new OutboxIds(time);
        var first = Enumerable.Range(0, 1000).Select(_ => one.Next()).Max(StringComparer.Ordinal);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(string.CompareOrdinal(new OutboxIds(time).Next(), first) > 0);
    }

    [Fact]
    public async Task ThreadsAndProcessesNeverMakeTheSameId()
    {
        var time = new FakeTime();
        var processes = Enumerable.Range(0, 4).Select(_ => new OutboxIds(time)).ToArray();
        var made = await Task.WhenAll(processes.SelectMany(ids => Enumerable.Range(0, 2).Select(_ => Task.Run(
            () => Enumerable.Range(0, 5000).Select(_ => ids.Next()).ToArray())))).Soon();
        Assert.Equal(40_000, made.SelectMany(ids => ids).Distinct(StringComparer.Ordinal).Count());
    }
}
