using Im.Diagnostics;
using Im.Messaging;
using Im.Model;
using Im.Protocol;

namespace Im.Core.Tests.Messaging;

/// <summary>What comes again after the store failed is stored in the order in which it was sent first.</summary>
public sealed class ResendOrderTests
{
    private readonly ManualTime _time = new();
    private readonly ResendOrder _order;

    public ResendOrderTests() => _order = new ResendOrder(_time);

    [Fact]
    public void LaterOnesWaitUntilTheRefusedOnesHaveComeAgain()
    {
        _order.Refused(Message("a1"));
        _order.Refused(Message("a2"));
        Assert.True(_order.MustWait(Message("a3")));
        Assert.True(_order.MustWait(Message("a2")));
        Assert.False(_order.MustWait(Message("a1")));
        Assert.False(_order.MustWait(Message("a2")));
        Assert.False(_order.MustWait(Message("a3")));
        Assert.True(_order.MustWait(Message("a5")));
        Answer("a1", "a2", "a3");
        Assert.False(_order.MustWait(Message("a5")));
        Answer("a5");
        Assert.False(_order.MustWait(Message("a4")));
    }

    [Fact]
    public void OneThatFailsAgainComesAgainFirst()
    {
        _order.Refused(Message("a1"));
        _order.Refused(Message("a2"));
        Assert.False(_order.MustWait(Message("a1")));
        Assert.False(_order.MustWait(Message("a2")));
        _order.Refused(Message("a1"));
        Assert.True(_order.MustWait(Message("a2")));
        Assert.False(_order.MustWait(Message("a1")));
        Answer("a1");
        Assert.False(_order.MustWait(Message("a2")));
    }

    [Fact]
    public void OtherConnectionsAndConversationsDoNotWait()
    {
        _order.Refused(Message("a1"));
        Assert.False(_order.MustWait(Message("b1", origin: "other")));
        Assert.False(_order.MustWait(Message("c1", conversationId: "g:other")));
    }

    // Calls of the host never come back as the same sender: in a long outage they must not use up the room that connections need.
    [Fact]
    public void ThoseThatNeverComeBackMakeRoomForOthers()
    {
        var metrics = new ImMetrics();
        for (var i = 0; i < 100_000; i++)
        {
            _order.Refused(Message("x", origin: "call " + i, metrics: metrics));
        }

        _time.Advance(TimeSpan.FromSeconds(20));
        _order.Refused(Message("a1"));
        Assert.True(_order.MustWait(Message("a2")));
    }

    // A user who deletes a message that could not be sent must be able to send others.
    [Fact]
    public void WhoGivesAMessageUpWaitsForALimitedTime()
    {
        _order.Refused(Message("a1"));
        _time.Advance(TimeSpan.FromSeconds(14));
        Assert.True(_order.MustWait(Message("a2")));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(_order.MustWait(Message("a2")));
    }

    private static HostMessage Message(string id, string origin = "connection", string conversationId = "g:1", ImMetrics? metrics = null) => new(metrics ?? new ImMetrics())
    {
        Origin = origin,
        SenderId = "ann",
        ClientMessageId = id,
        ConversationId = conversationId,
        Content = new Content(),
    };

    private void Answer(params string[] ids)
    {
        foreach (var id in ids)
        {
            _order.Answered(Message(id));
        }
    }

    private sealed class ManualTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;
    }
}
