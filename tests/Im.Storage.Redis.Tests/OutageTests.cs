using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Im.Cluster;
using Im.LocalServers;
using Im.Protocol;
using Im.Rooms;
using Im.Storage.Redis.Tests.Support;
using Im.Timelines;

namespace Im.Storage.Redis.Tests;

/// <summary>What is asked of a Redis that is away fails fast, and works again by itself when it is back.</summary>
[Collection(OutageCollection.Name)]
public sealed class OutageTests : IAsyncLifetime
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(200);

    // Beside a build the machine may give us a turn late.
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(1_000);

    private RedisServer _server = null!;

    public async Task InitializeAsync() => _server = await RedisServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task ARedisThatIsDownAtTheStartIsUsedWhenItComes()
    {
        await _server.KillAsync();
        await using var node = Node();
        var received = new ConcurrentQueue<string>();
        var watch = Stopwatch.StartNew();
        await node.Backplane.StartAsync("a", message => received.Enqueue(Encoding.UTF8.GetString(message.Span)), default).AsTask().WaitAsync(Timeout + Slack);
        await FailsAsync(node, Timeout + Slack);
        Assert.True(watch.Elapsed < Timeout + Slack + Slack, $"{watch.Elapsed}");
        await FailsAsync(node, AtOnce);

        await _server.RestartAsync();
        await WorksAsync(node);
        await HearsItselfAsync(node, received);
    }

    [Fact]
    public async Task AFrozenRedisCostsEachCallerTheTimeoutAndThenNobodyAnything()
    {
        await using var node = Node();
        var received = new ConcurrentQueue<string>();
        await node.Backplane.StartAsync("a", message => received.Enqueue(Encoding.UTF8.GetString(message.Span)), default);
        await HearsItselfAsync(node, received);

        _server.Freeze();
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => FailsAsync(node, Timeout + Slack)));
        Assert.True(watch.Elapsed >= Timeout - TimeSpan.FromMilliseconds(50), $"{watch.Elapsed}");
        watch.Restart();
        for (var i = 0; i < 1_000; i++)
        {
            await FailsAsync(node, AtOnce);
            await Assert.ThrowsAsync<ImClusterException>(() => node.Backplane.PublishToAllAsync(new byte[1], default).AsTask());
        }

        Assert.True(watch.Elapsed < Slack, $"{watch.Elapsed}");
        // Committing goes on: nothing is known about heads.
        var heads = new long[1];
        await node.Allocator.ProposeAsync([TimelineKey.Inbox("alice")], heads, default).AsTask().WaitAsync(AtOnce);
        Assert.Equal(ISequenceAllocator.Unknown, heads[0]);

        _server.Thaw();
        await WorksAsync(node);
        received.Clear();
        await HearsItselfAsync(node, received);
    }

    [Fact]
    public async Task ARedisThatIsRestartedEmptyIsUsedAgain()
    {
        await using var node = Node();
        var received = new ConcurrentQueue<string>();
        await node.Backplane.StartAsync("a", message => received.Enqueue(Encoding.UTF8.GetString(message.Span)), default);
        await WorksAsync(node);
        await _server.KillAsync();
        await FailsAsync(node, Timeout + Slack);
        await _server.RestartAsync();
        await WorksAsync(node);
        await HearsItselfAsync(node, received);
    }

    [Fact]
    public async Task ARedisThatWasFrozenAtTheStartIsUsedWhenItGoesOn()
    {
        _server.Freeze();
        await using var node = Node();
        await node.Backplane.StartAsync("a", _ => { }, default).AsTask().WaitAsync(Timeout + Slack);
        await FailsAsync(node, Timeout + Slack);
        _server.Thaw();
        await WorksAsync(node);
    }

    /// <summary>As a machine that lost its power: nothing is answered, and nothing says that the connection is over.</summary>
    [Fact]
    public async Task ConnectionsThatAnswerNothingAreReplacedAndSubscribeAgain()
    {
        await using var node = Node(",connectTimeout=500");
        var received = new ConcurrentQueue<string>();
        await node.Backplane.StartAsync("a", message => received.Enqueue(Encoding.UTF8.GetString(message.Span)), default);
        await HearsItselfAsync(node, received);
        await node.Rooms.StartAsync(batch => received.Enqueue($"room {batch.FirstSeq}"), default);
        await node.Rooms.ListenAsync("lobby", default);

        _server.Freeze();
        await FailsAsync(node, Timeout + Slack);
        await Poll.UntilAsync(() => node.Connection.Replacements > 0, "the connection is given up");
        _server.Thaw();
        await WorksAsync(node);
        received.Clear();
        await HearsItselfAsync(node, received);
        await Poll.UntilAsync(
            async () =>
            {
                await node.Rooms.PublishAsync("lobby", RoomPriority.Normal, [new byte[1]], new RoomReplayLimits(0, TimeSpan.Zero), default);
                return received.Any(text => text.StartsWith("room", StringComparison.Ordinal));
            },
            "the rooms are received again");
        Assert.Equal(received.Distinct(), received);
    }

    /// <summary>As it does where there was no connection for them at the wrong moment.</summary>
    [Fact]
    public async Task SubscriptionsThatTheLibraryHasForgottenAreMadeAgain()
    {
        await using var node = Node();
        var received = new ConcurrentQueue<string>();
        await node.Backplane.StartAsync("a", message => received.Enqueue(Encoding.UTF8.GetString(message.Span)), default);
        await node.Rooms.StartAsync(batch => received.Enqueue($"room {batch.FirstSeq}"), default);
        await node.Rooms.ListenAsync("lobby", default);
        await node.Rooms.ListenAsync("left", default);
        await node.Rooms.StopListeningAsync("left", default);
        await node.Connection.RunAsync("forget", async multiplexer => await ForgetAllAsync(multiplexer.GetSubscriber()), default);
        await HearsItselfAsync(node, received);
        await Poll.UntilAsync(
            async () =>
            {
                await node.Rooms.PublishAsync("left", RoomPriority.Normal, [new byte[1]], new RoomReplayLimits(0, TimeSpan.Zero), default);
                await node.Rooms.PublishAsync("lobby", RoomPriority.Normal, [new byte[1]], new RoomReplayLimits(0, TimeSpan.Zero), default);
                return received.Any(text => text.StartsWith("room", StringComparison.Ordinal));
            },
            "the room is received again");
        Assert.Equal(received.Distinct(), received);

        static async Task<bool> ForgetAllAsync(StackExchange.Redis.ISubscriber subscriber)
        {
            await subscriber.UnsubscribeAllAsync();
            return true;
        }
    }

    [Fact]
    public async Task AnOutageIsCountedAndShown()
    {
        using var meters = new MeterReader("Im.Redis");
        await using var node = Node();
        await WorksAsync(node);
        var open = meters.Sum("im.redis.circuit");
        var failed = meters.Sum("im.redis.failures");
        await _server.KillAsync();
        await FailsAsync(node, Timeout + Slack);
        Assert.Equal(open + 1, meters.Sum("im.redis.circuit"));
        Assert.True(meters.Sum("im.redis.failures") > failed);

        await _server.RestartAsync();
        await WorksAsync(node);
        Assert.Equal(open, meters.Sum("im.redis.circuit"));
    }

    [Fact]
    public async Task WhatAFrozenRedisIsToldTooLateIsNotRegistered()
    {
        await using var node = Node();
        await node.Directory.RegisterAsync([Sessions.Of("alice")], default);
        _server.Freeze();
        var watch = Stopwatch.StartNew();
        await Assert.ThrowsAsync<ImClusterException>(() => node.Directory.RegisterAsync([Sessions.Of("bob")], default).AsTask());
        await Poll.UntilAsync(() => watch.Elapsed > 2 * Timeout, "it is too late, however long an answer takes here");
        _server.Thaw();
        await WorksAsync(node);
        var found = await node.Directory.FindAsync(["alice", "bob"], default);
        Assert.Single(found[0].Sessions);
        Assert.Empty(found[1].Sessions);
        Assert.NotEqual(0, (await node.Directory.RegisterAsync([Sessions.Of("bob")], default))[0].Ticket);
    }

    [Fact]
    public async Task ACancelledCallEndsAsCancelled()
    {
        await using var node = Node();
        await WorksAsync(node);
        _server.Freeze();
        using var cancel = new CancellationTokenSource();
        var call = node.Directory.FindAsync(["alice"], cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(Slack));
        _server.Thaw();
        // Who gave up says nothing about Redis.
        await node.Directory.FindAsync(["alice"], default).AsTask().WaitAsync(Slack);
    }

    private RedisNode Node(string configuration = "") => new(
        _server.ConnectionString + configuration,
        options =>
        {
            options.OperationTimeout = Timeout;
            options.ProbeInterval = TimeSpan.FromMilliseconds(100);
            options.ReconnectAfter = TimeSpan.FromSeconds(2);
        });

    private static async Task FailsAsync(RedisNode node, TimeSpan within)
    {
        var watch = Stopwatch.StartNew();
        await Assert.ThrowsAsync<ImClusterException>(() => node.Directory.FindAsync(["alice"], default).AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.True(watch.Elapsed < within, $"It took {watch.Elapsed}.");
    }

    private static Task WorksAsync(RedisNode node) => Poll.UntilAsync(
        async () =>
        {
            try
            {
                await node.Directory.FindAsync(["alice"], default).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
                return true;
            }
            catch (ImClusterException)
            {
                return false;
            }
        },
        "Redis is used again");

    private static async Task HearsItselfAsync(RedisNode node, ConcurrentQueue<string> received)
    {
        var sent = 0;
        await Poll.UntilAsync(
            async () =>
            {
                try
                {
                    await node.Backplane.PublishToAllAsync(Encoding.UTF8.GetBytes($"{++sent}"), default);
                }
                catch (ImClusterException)
                {
                    // Not yet.
                }

                return !received.IsEmpty;
            },
            "the node hears itself");
        // Nothing comes twice.
        await Poll.UntilAsync(() => received.Contains($"{sent}"), "the last one has arrived");
        Assert.Equal(received.Distinct(), received);
    }
}
