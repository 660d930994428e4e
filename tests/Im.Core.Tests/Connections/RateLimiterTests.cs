using Im.Connections;

namespace Im.Core.Tests.Connections;

/// <summary>How many messages a second one connection may send.</summary>
public sealed class RateLimiterTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void ASecondsWorthMayComeAtOnceAndTimePutsItBack()
    {
        var limiter = new RateLimiter(2, _time);
        Assert.True(limiter.TryTake("a"));
        Assert.True(limiter.TryTake("b"));
        Assert.False(limiter.TryTake("c"));
        _time.Now += TimeSpan.FromSeconds(0.5);
        Assert.True(limiter.TryTake("c"));
        Assert.False(limiter.TryTake("d"));
    }

    [Fact]
    public void WhatWasSentBehindARefusedMessageDoesNotOvertakeIt()
    {
        var limiter = new RateLimiter(1, _time);
        Assert.True(limiter.TryTake("a"));
        Assert.False(limiter.TryTake("b"));
        _time.Now += TimeSpan.FromSeconds(1);
        Assert.False(limiter.TryTake("c"));
        Assert.True(limiter.TryTake("b"));
        _time.Now += TimeSpan.FromSeconds(1);
        Assert.True(limiter.TryTake("c"));
    }

    [Fact]
    public void WhatWillNotComeAgainHoldsNothingBack()
    {
        var limiter = new RateLimiter(1, _time);
        Assert.True(limiter.TryTake(null));
        Assert.False(limiter.TryTake(null));
        _time.Now += TimeSpan.FromSeconds(1);
        Assert.True(limiter.TryTake("a"));
    }

    [Fact]
    public void AMessageThatIsGivenUpHoldsOthersBackForTwoSeconds()
    {
        var limiter = new RateLimiter(1, _time);
        Assert.True(limiter.TryTake("a"));
        Assert.False(limiter.TryTake("b"));
        _time.Now += TimeSpan.FromSeconds(1.9);
        Assert.False(limiter.TryTake("c"));
        _time.Now += TimeSpan.FromSeconds(0.1);
        Assert.True(limiter.TryTake("c"));
    }

    private sealed class ManualTime : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
