using Im.Cluster;
using Im.Protocol;
using Im.Rooms;
using Im.Storage.Redis.Tests.Support;

namespace Im.Storage.Redis.Tests;

/// <summary>What is kept for how long, and what dead nodes leave behind in it.</summary>
public sealed class KeepingTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private static readonly NodeDescription A = new("a", "a1", "1.0");
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    public Task InitializeAsync() => redis.RunAsync("FLUSHALL");

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task ARoomThatNobodyPublishesToIsForgottenAndBeginsANewEpoch()
    {
        await using var node = Node(options => options.KeepRoomsFor = TimeSpan.FromMilliseconds(50));
        var keep = new RoomReplayLimits(10, TimeSpan.FromMilliseconds(100));
        var first = await node.Rooms.PublishAsync("lobby", RoomPriority.Normal, [new byte[1]], keep, default);
        await Poll.UntilAsync(async () => (await redis.KeysAsync()).Length == 0, "nothing is left of it");
        var next = await node.Rooms.PublishAsync("lobby", RoomPriority.Normal, [new byte[1]], keep, default);
        Assert.Equal(1, next.Seq);
        Assert.NotEqual(first.Epoch, next.Epoch);
    }

    [Fact]
    public async Task WhatIsOlderThanTheReplayTimeIsNotRead()
    {
        await using var node = Node();
        var keep = new RoomReplayLimits(10, TimeSpan.FromMilliseconds(100));
        await node.Rooms.PublishAsync("lobby", RoomPriority.Normal, [new byte[1]], keep, default);
        await Poll.UntilAsync(
            async () => (await node.Rooms.ReadAsync("lobby", RoomPriority.Normal, 0, 10, 0, default)).Messages.Count == 0, "the message is too old");
        Assert.Equal(1, (await node.Rooms.ReadAsync("lobby", RoomPriority.Normal, 0, 10, 0, default)).Head.Seq);
        await node.Rooms.PublishAsync("lobby", RoomPriority.Normal, [new byte[1]], keep, default);
        Assert.Equal(1, (long)await redis.RunAsync("LLEN", "im:{r:lobby}:replay:1"));
    }

    [Fact]
    public async Task AReplayWhoseRoomWasEvictedIsNotShownInTheNextEpoch()
    {
        await using var node = Node();
        var keep = new RoomReplayLimits(10, TimeSpan.FromMinutes(1));
        await node.Rooms.PublishAsync("lobby", RoomPriority.Normal, [new byte[1]], keep, default);
        await node.Rooms.PublishAsync("lobby", RoomPriority.High, [new byte[2]], keep, default);
        await redis.RunAsync("DEL", "im:{r:lobby}:room");
        await node.Rooms.PublishAsync("lobby", RoomPriority.High, [new byte[3]], keep, default);
        Assert.Empty((await node.Rooms.ReadAsync("lobby", RoomPriority.Normal, 0, 10, 0, default)).Messages);
        await node.Rooms.PublishAsync("lobby", RoomPriority.Normal, [new byte[4]], keep, default);
        Assert.Equal(4, Assert.Single((await node.Rooms.ReadAsync("lobby", RoomPriority.Normal, 0, 10, 0, default)).Messages).Length);
    }

    [Fact]
    public async Task MembersThatNobodyAsksAboutAreForgottenAndAFillThatStopsToo()
    {
        await using var node = Node(options =>
        {
            options.KeepMembersFor = TimeSpan.FromMilliseconds(200);
            options.FillTimeout = TimeSpan.FromMilliseconds(200);
        });
        Assert.True(await node.Members.BeginFillAsync("g", 1, "a", default));
        Assert.False(await node.Members.BeginFillAsync("g", 1, "b", default));
        await Poll.UntilAsync(async () => await node.Members.BeginFillAsync("g", 1, "b", default), "the fill was given up");
        await node.Members.AddAsync("g", 1, "a", ["mallory"], default);
        await node.Members.AddAsync("g", 1, "b", ["alice"], default);
        Assert.True(await node.Members.CompleteFillAsync("g", 1, "b", default));
        Assert.Equal([true, false], (await node.Members.FindAsync("g", 1, ["alice", "mallory"], default))!);
        await Poll.UntilAsync(async () => (await redis.KeysAsync()).Length == 0, "nothing is left");
    }

    [Fact]
    public async Task WhatIsKeptForATimeHasALimit()
    {
        await using var node = Node();
        await node.Directory.RegisterAsync([Sessions.Of("alice")], default);
        await node.Directory.RemoveAsync([Sessions.Of("alice")], default);
        var seen = Assert.Single(await redis.KeysAsync(), key => key.EndsWith(":seen", StringComparison.Ordinal));
        Assert.InRange((long)await redis.RunAsync("PTTL", seen), 1, (long)TimeSpan.FromDays(30).TotalMilliseconds);
    }

    [Fact]
    public async Task WhatAProcessLeftWhoseNameAnotherOneHasTakenIsFoundByTheReaper()
    {
        await using var node = Node();
        var old = (await node.Directory.JoinAsync(A, TimeSpan.FromMilliseconds(50), default)).Epoch;
        await node.Directory.RegisterAsync([Sessions.Of("alice", "a", old)], default);
        var next = A with { InstanceId = "a2" };
        var epoch = 0L;
        await Poll.UntilAsync(async () => (epoch = (await node.Directory.JoinAsync(next, Lease, default)).Epoch) != 0, "the name is free");
        await node.Directory.RegisterAsync([Sessions.Of("bob", "a", epoch)], default);

        var dead = Assert.Single(await node.Directory.FindDeadNodesAsync(next, Lease, default));
        Assert.Equal((A, old), (dead.Description, dead.Epoch));
        Assert.Equal("alice", Assert.Single(await node.Directory.RemoveNodeAsync(dead, default).SelectMany(step => step).ToListAsync()).Session.UserId);
        Assert.Empty(await node.Directory.FindDeadNodesAsync(next, Lease, default));
        Assert.Single((await node.Directory.FindAsync(["bob"], default))[0].Sessions);
        Assert.NotNull(await node.Directory.RenewAsync(next, epoch, Lease, default));
    }

    [Fact]
    public async Task ThousandsOfSessionsOfADeadNodeAreRemovedOnceEach()
    {
        const int count = 10_000;
        // Thousands at once on a busy machine.
        await using var node = Node(options => options.OperationTimeout = TimeSpan.FromSeconds(20));
        var epoch = (await node.Directory.JoinAsync(A, TimeSpan.FromMilliseconds(1), default)).Epoch;
        await node.Directory.RegisterAsync([.. Enumerable.Range(0, count).Select(i => Sessions.Of($"user {i}", "a", epoch))], default);
        await node.Directory.RegisterAsync([.. Enumerable.Range(0, count).Select(i => Sessions.Of($"other {i}", "b", epoch))], default);

        var dead = Assert.Single(await node.Directory.FindDeadNodesAsync(A with { Name = "b" }, Lease, default));
        var removed = await node.Directory.RemoveNodeAsync(dead, default).SelectMany(step => step).ToListAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(count, removed.Select(item => item.Session.UserId).Distinct().Count());
        Assert.All(removed, item => Assert.Equal(new Removal(true, 0), item.Removal));
        Assert.Equal(count, removed.Count);
        var left = await node.Directory.FindAsync([.. Enumerable.Range(0, count).Select(i => $"other {i}")], default).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        Assert.All(left, user => Assert.Single(user.Sessions));
    }

    [Fact]
    public async Task ScriptsThatRedisHasForgottenAreSentAgain()
    {
        await using var node = Node();
        await node.Directory.RegisterAsync([Sessions.Of("alice")], default);
        await redis.RunAsync("SCRIPT", "FLUSH");
        await node.Directory.RegisterAsync([Sessions.Of("bob")], default).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Single((await node.Directory.FindAsync(["bob"], default))[0].Sessions);
    }

    private RedisNode Node(Action<ImRedisOptions>? configure = null) => new(redis.Server.ConnectionString, configure);
}
