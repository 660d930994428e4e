using Im.Storage.Redis.Tests.Support;
using Im.Timelines;

namespace Im.Storage.Redis.Tests;

/// <summary>Whatever Redis says about heads, a commit is tried twice at most.</summary>
public sealed class AllocatorTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private static readonly TimelineKey Group = TimelineKey.Conversation("g:1");
    private static readonly TimelineKey Inbox = TimelineKey.Inbox("alice");

    public Task InitializeAsync() => redis.RunAsync("FLUSHALL");

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task WhatOneNodeObservedAnotherOneProposes()
    {
        await using var one = Node();
        await using var other = Node();
        one.Allocator.Observe([Group, Inbox], new long[] { 41, 7 });
        await Poll.UntilAsync(async () => (await ProposeAsync(other, Group, Inbox)).SequenceEqual(new long[] { 41, 7 }), "the other node knows the heads");
    }

    [Fact]
    public async Task WhatIsOldHereIsLookedUpThere()
    {
        await using var one = Node();
        await using var other = Node();
        one.Allocator.Observe([Group], new long[] { 1 });
        other.Allocator.Observe([Group], new long[] { 5 });
        await Poll.UntilAsync(async () => (await ProposeAsync(one, Group))[0] == 5, "the newer head is known");
    }

    [Fact]
    public async Task ALateWriteDoesNotPutAHeadBack()
    {
        await using var one = Node();
        await using var other = Node();
        await using var third = Node();
        one.Allocator.Observe([Group], new long[] { 9 });
        await Poll.UntilAsync(async () => (await ProposeAsync(third, Group))[0] == 9, "the head is known");
        other.Allocator.Observe([Group, Inbox], new long[] { 8, 1 });
        await Poll.UntilAsync(async () => (await ProposeAsync(third, Inbox))[0] == 1, "the late write has happened");
        Assert.Equal(new long[] { 9L }, await ProposeAsync(third, Group));
    }

    [Fact]
    public async Task AnEmptiedRedisProposesNothing()
    {
        await using var one = Node();
        await using var other = Node();
        one.Allocator.Observe([Group], new long[] { 41 });
        await Poll.UntilAsync(async () => (await redis.KeysAsync()).Length > 0, "it was told");
        await redis.RunAsync("FLUSHALL");
        Assert.Equal(new long[] { ISequenceAllocator.Unknown }, await ProposeAsync(other, Group));
        // What this node has observed itself it still knows.
        Assert.Equal(new long[] { 41L }, await ProposeAsync(one, Group));
    }

    [Fact]
    public async Task AStaleRedisCostsOneRetryAndIsPutRight()
    {
        await using var one = Node();
        await using var other = Node();
        await using var third = Node();
        // As after a restored backup: heads that the store does not have any more.
        one.Allocator.Observe([Group], new long[] { 1_000 });
        await Poll.UntilAsync(async () => (await ProposeAsync(other, Group))[0] == 1_000, "the wrong head is proposed");

        TimelineKey[] timelines = [Group];
        await other.Allocator.ProposeAsync(timelines, new long[1], default);
        other.Allocator.Observe(timelines, new long[] { 50 });
        other.Allocator.Observe(timelines, new long[] { 51 });
        await Poll.UntilAsync(async () => (await ProposeAsync(third, Group))[0] == 51, "the right head is known");
    }

    [Fact]
    public async Task ATimelineThatOthersWriteToIsNotProposedForAWhile()
    {
        await using var node = Node(options => options.ContendedFor = TimeSpan.FromMilliseconds(300));
        node.Allocator.Observe([Group, Inbox], new long[] { 5, 3 });
        Assert.Equal(new long[] { 5L, 3L }, await ProposeAsync(node, Group, Inbox));
        // Refused, since another node has written to the group, and then committed with whatever head there was.
        TimelineKey[] both = [Group, Inbox];
        var heads = new long[2];
        await node.Allocator.ProposeAsync(both, heads, default);
        node.Allocator.Observe(both, new long[] { 6, 3 });
        node.Allocator.Observe(both, new long[] { 7, 4 });

        Assert.Equal(new long[] { ISequenceAllocator.Unknown, 4L }, await ProposeAsync(node, Group, Inbox));
        await Poll.UntilAsync(async () => (await ProposeAsync(node, Group))[0] == 7, "it is proposed again");
    }

    [Fact]
    public async Task CommitsWithoutARefusalAreNoContention()
    {
        await using var node = Node();
        for (var head = 1L; head < 5; head++)
        {
            TimelineKey[] timelines = [Group];
            var heads = new long[1];
            await node.Allocator.ProposeAsync(timelines, heads, default);
            Assert.Equal(head == 1 ? ISequenceAllocator.Unknown : head - 1, heads[0]);
            node.Allocator.Observe(timelines, new[] { head });
        }
    }

    [Fact]
    public async Task ManyHeadsArriveAndAreForgottenByPeriods()
    {
        await using var one = Node();
        await using var other = Node();
        TimelineKey[] timelines = [.. Enumerable.Range(0, 5_000).Select(i => TimelineKey.Inbox($"user {i}"))];
        one.Allocator.Observe(timelines, Enumerable.Range(0, 5_000).Select(i => (long)i).ToArray());
        await Poll.UntilAsync(
            async () => (await ProposeAsync(other, timelines)).SequenceEqual(Enumerable.Range(0, 5_000).Select(i => (long)i)), "all are known");
        foreach (var key in await redis.KeysAsync())
        {
            Assert.InRange((long)await redis.RunAsync("PTTL", key), 1, (long)TimeSpan.FromHours(2).TotalMilliseconds);
        }
    }

    private RedisNode Node(Action<ImRedisOptions>? configure = null) => new(redis.Server.ConnectionString, configure);

    private static async Task<long[]> ProposeAsync(RedisNode node, params TimelineKey[] timelines)
    {
        var heads = new long[timelines.Length];
        await node.Allocator.ProposeAsync(timelines, heads, default).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        return heads;
    }
}
