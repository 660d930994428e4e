using Im.Testing.Specification;

namespace Im.Timelines;

public sealed class CachedSequenceAllocatorTests : SequenceAllocatorSpecification
{
    // A server that runs for months holds no more heads than it was told to.
    [Fact]
    public async Task TheCacheStaysWithinItsLimitAndForgetsWhatIsNotUsed()
    {
        var allocator = new CachedSequenceAllocator(maxEntries: 10);
        var used = TimelineKey.Inbox("used");
        for (var i = 0; i < 1000; i++)
        {
            allocator.Observe([TimelineKey.Inbox("u" + i), used], new long[] { i, i });
            Assert.InRange(allocator.Count, 1, 10);
            Assert.Equal(i, (await ProposeAsync(allocator, used))[0]);
        }

        Assert.Equal(ISequenceAllocator.Unknown, (await ProposeAsync(allocator, TimelineKey.Inbox("u0")))[0]);
    }

    // The documented default.
    [Fact]
    public void TheDefaultLimitIsAHundredThousand() => Assert.Equal(100_000, CachedSequenceAllocator.DefaultMaxEntries);

    protected override ValueTask<ISequenceAllocator> CreateAsync() => new(new CachedSequenceAllocator());
}
