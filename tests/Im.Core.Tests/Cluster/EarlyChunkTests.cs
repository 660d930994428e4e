using Im.Model;
using Im.Storage;
using Im.Sync;
using Im.Timelines;

namespace Im.Core.Tests.Cluster;

/// <summary>The slot of a session's timeline for a chunk that arrives before the one in front of it.</summary>
public sealed class EarlyChunkTests
{
    private static readonly PushPayload Two = new(EncodedRun.Create([Entry(1), Entry(2)]));

    [Fact]
    public void AChunkIsHeldUntilTheOneInFrontOfItCame()
    {
        var timeline = Live(cursor: 10);
        Assert.True(timeline.TryHold(13, Two));
        Assert.Null(timeline.TakeEarly());
        timeline.Advance(12);
        Assert.Equal(13, timeline.TakeEarly()!.First);
        Assert.Null(timeline.TakeEarly());
    }

    [Fact]
    public void OnlyOneIsHeldAndNoneThatFollowsAlready()
    {
        var timeline = Live(cursor: 10);
        Assert.False(timeline.TryHold(11, Two));
        Assert.True(timeline.TryHold(13, Two));
        Assert.False(timeline.TryHold(15, Two));
    }

    [Fact]
    public void WhatWasReadMeanwhileIsNotGivenTwice()
    {
        var timeline = Live(cursor: 10);
        Assert.True(timeline.TryHold(13, Two));
        timeline.Advance(14);
        Assert.Null(timeline.TakeEarly());
        Assert.True(timeline.TryHold(17, Two));
    }

    [Fact]
    public void ATimelineThatFallsBehindForgetsIt()
    {
        var timeline = Live(cursor: 10);
        Assert.True(timeline.TryHold(13, Two));
        timeline.FallBehind();
        Assert.False(timeline.TryRelease(13));
        Assert.False(timeline.TryHold(13, Two));
    }

    [Fact]
    public void NothingBeyondTheEndOfAStayIsHeld()
    {
        var timeline = Live(cursor: 10);
        timeline.End(13);
        Assert.False(timeline.TryHold(13, Two));
    }

    private static SessionTimeline Live(long cursor)
    {
        var timeline = new SessionTimeline(TimelineKey.Inbox("ann"), cursor);
        Assert.True(timeline.TryGoLive());
        return timeline;
    }

    private static StoredEntry Entry(long seq) => new()
    {
        ConversationId = "g:x",
        Seq = new ConversationSeq(seq),
        Ordinal = seq,
        SenderId = "ann",
        ClientMessageId = "c" + seq,
        TimeMs = 1,
        Kind = EntryKind.Message,
        Body = ReadOnlyMemory<byte>.Empty,
    };
}
