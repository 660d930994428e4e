using Im.Sync;
using Im.Timelines;

namespace Im.Core.Tests.Sync;

public sealed class SessionTimelineTests
{
    private static readonly TimelineKey Key = TimelineKey.Conversation("g:g");

    [Fact]
    public void ItBeginsBehindAndGoesLiveAtTheKnownHead()
    {
        var timeline = new SessionTimeline(Key, 5);
        Assert.False(timeline.IsLive);
        timeline.RaiseHead(7);
        Assert.False(timeline.TryGoLive());
        timeline.Advance(7);
        Assert.True(timeline.TryGoLive());
    }

    [Fact]
    public void OnlyWhatFollowsExactlyContinuesALiveTimeline()
    {
        var timeline = new SessionTimeline(Key, 5);
        timeline.TryGoLive();
        Assert.True(timeline.Continues(6, 8));
        Assert.False(timeline.Continues(7, 8));
        Assert.False(timeline.Continues(5, 8));
        timeline.FallBehind();
        Assert.False(timeline.Continues(6, 8));
    }

    [Fact]
    public void NothingAfterTheEndContinuesItAndItIsFinishedThere()
    {
        var timeline = new SessionTimeline(Key, 5);
        timeline.TryGoLive();
        timeline.End(6);
        Assert.False(timeline.Continues(6, 7));
        Assert.True(timeline.Continues(6, 6));
        Assert.False(timeline.IsFinished);
        timeline.Advance(6);
        Assert.True(timeline.IsFinished);
        Assert.True(timeline.Has(9));
    }

    [Fact]
    public void ALaterPartFollowsAfterASkipWhenTheFirstIsFinished()
    {
        var timeline = new SessionTimeline(Key, 5);
        timeline.End(8);
        timeline.AddPart(12, long.MaxValue);
        Assert.False(timeline.TrySkip(out _, out _));
        timeline.Advance(8);
        Assert.True(timeline.TrySkip(out var first, out var through));
        Assert.Equal((9, 12), (first, through));
        Assert.Equal(12, timeline.Cursor);
        Assert.False(timeline.IsFinished);
        Assert.True(timeline.TryGoLive());
        Assert.True(timeline.Continues(13, 20));
    }

    [Fact]
    public void SeveralPartsAreSkippedOneAfterTheOther()
    {
        var timeline = new SessionTimeline(Key, 5);
        timeline.End(6);
        timeline.AddPart(10, long.MaxValue);
        timeline.End(11);
        timeline.AddPart(20, long.MaxValue);
        timeline.End(20);
        timeline.Advance(6);
        Assert.True(timeline.TrySkip(out var first, out var through));
        Assert.Equal((7, 10), (first, through));
        Assert.False(timeline.TrySkip(out _, out _));
        timeline.Advance(11);
        Assert.True(timeline.TrySkip(out first, out through));
        Assert.Equal((12, 20), (first, through));
        Assert.True(timeline.IsFinished);
    }

    [Fact]
    public void ATimelineInDoubtPassesNothingOverAndIsNotLiveUntilItsPartsAreKnown()
    {
        var timeline = new SessionTimeline(Key, 5);
        timeline.TryGoLive();
        timeline.Doubt();
        timeline.End(5);
        timeline.AddPart(9, long.MaxValue);
        Assert.False(timeline.TrySkip(out _, out _));
        Assert.False(timeline.TryGoLive());

        timeline.SetParts(new StoredParts(5, [(6, 8), (9, long.MaxValue)], 12));
        Assert.True(timeline.TrySkip(out var first, out var through));
        Assert.Equal((6, 6), (first, through));
        Assert.False(timeline.TryGoLive());
        timeline.Advance(8);
        Assert.True(timeline.TrySkip(out first, out through));
        Assert.Equal((9, 9), (first, through));
        Assert.False(timeline.TryGoLive());
        timeline.Advance(12);
        Assert.True(timeline.TryGoLive());
    }
}
