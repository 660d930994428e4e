using Im.Storage.InMemory;
using Im.Testing.Specification;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage;

public sealed class SentLogTests
{
    private static readonly string Own = Model.ConversationId.Own("ann");

    // A resend within the retention is answered; memory does not grow with the years.
    [Fact]
    public async Task AnIdIsForgottenAfterItsRetention()
    {
        var time = new ManualTime();
        var state = new InMemoryState(time, new InMemorySettings { SentRetention = TimeSpan.FromHours(1) });
        Assert.Equal(AppendOutcome.Stored, await SendAsync(state, "x"));
        time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(AppendOutcome.Duplicate, await SendAsync(state, "x"));
        Assert.Equal(AppendOutcome.Stored, await SendAsync(state, "y"));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(AppendOutcome.Stored, await SendAsync(state, "x"));
        Assert.Equal(AppendOutcome.Duplicate, await SendAsync(state, "y"));
        Assert.Equal(2, state.Sent.Count);
    }

    // The oldest ids go first when there are too many.
    [Fact]
    public async Task NoMoreIdsAreKeptThanAllowed()
    {
        var state = new InMemoryState(new ManualTime(), new InMemorySettings { SentMaxCount = 3 });
        for (var i = 0; i < 10; i++)
        {
            await SendAsync(state, "x" + i);
        }

        Assert.Equal(AppendOutcome.Duplicate, await SendAsync(state, "x9"));
        Assert.Equal(3, state.Sent.Count);
        Assert.Equal(AppendOutcome.Stored, await SendAsync(state, "x6"));
    }

    // The documented defaults.
    [Fact]
    public void DefaultsAreAWeekAndAMillion()
    {
        Assert.Equal(TimeSpan.FromDays(7), new InMemorySettings().SentRetention);
        Assert.Equal(1_000_000, new InMemorySettings().SentMaxCount);
    }

    private static async Task<AppendOutcome> SendAsync(InMemoryState state, string id)
    {
        var batch = Batch(Message(Own, "ann", To("ann"), id: id));
        return (await new InMemoryMessageStore(state).AppendAsync(batch, CancellationToken.None).Soon()).Items[0].Outcome;
    }

    private sealed class ManualTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;
    }
}
