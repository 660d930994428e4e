using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Im.Protocol;
using Im.Rooms;
using Im.Storage.Redis.Tests.Support;

namespace Im.Storage.Redis.Tests;

/// <summary>What the contract leaves open and this backplane does.</summary>
[Collection(OutageCollection.Name)]
public sealed class BackplaneTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly RoomReplayLimits Keep = new(10, TimeSpan.FromMinutes(1));

    [Fact]
    public async Task AHundredThousandMessagesArriveInOrder()
    {
        const int count = 100_000;
        await using var receiver = new RedisNode(redis.Server.ConnectionString, options =>
        {
            options.MaxQueuedMessages = 2 * count;

            // A busy machine must not look like a connection that is dead: what is on its way would be lost, as it may.
            options.ReconnectAfter = TimeSpan.FromMinutes(1);
        });
        await using var sender = new RedisNode(redis.Server.ConnectionString, options =>
        {
            options.OperationTimeout = TimeSpan.FromSeconds(20);
            options.ReconnectAfter = TimeSpan.FromMinutes(1);
        });
        var received = 0;
        var firstWrong = -1;
        await receiver.Backplane.StartAsync(
            "b",
            message =>
            {
                if (BitConverter.ToInt32(message.Span) != received && firstWrong < 0)
                {
                    firstWrong = received;
                }

                Volatile.Write(ref received, received + 1);
            },
            default);

        for (var i = 0; i < count; i += 1_000)
        {
            await Task.WhenAll(Enumerable.Range(i, 1_000).Select(n => sender.Backplane.PublishAsync("b", BitConverter.GetBytes(n), default).AsTask()))
                .WaitAsync(TimeSpan.FromSeconds(30));
        }

        await Poll.UntilAsync(() => Volatile.Read(ref received) >= count, "all messages have arrived");
        Assert.Equal(-1, firstWrong);
        Assert.Equal(count, received);
    }

    [Fact]
    public async Task WhatASlowReceiverHasNoRoomForIsDroppedAndCounted()
    {
        using var meters = new MeterReader("Im.Redis");
        await using var node = new RedisNode(redis.Server.ConnectionString, options => options.MaxQueuedMessages = 16);
        using var gate = new ManualResetEventSlim();
        var received = new ConcurrentQueue<int>();
        await node.Backplane.StartAsync(
            "slow",
            message =>
            {
                gate.Wait(TimeSpan.FromSeconds(20));
                received.Enqueue(BitConverter.ToInt32(message.Span));
            },
            default);
        for (var i = 0; i < 100; i++)
        {
            await node.Backplane.PublishAsync("slow", BitConverter.GetBytes(i), default);
        }

        await Poll.UntilAsync(() => meters.Sum("im.redis.dropped") >= 100 - 17, "what does not fit is dropped");
        gate.Set();
        await Poll.UntilAsync(() => received.Count >= 16, "what was kept is handled");
        await node.Backplane.PublishAsync("slow", BitConverter.GetBytes(1_000), default);
        await Poll.UntilAsync(() => received.Contains(1_000), "and what comes later");
        Assert.Equal(received.Order(), received);
    }

    [Fact]
    public async Task AReceiverThatThrowsGetsTheNextMessage()
    {
        await using var node = new RedisNode(redis.Server.ConnectionString);
        var received = new ConcurrentQueue<int>();
        await node.Backplane.StartAsync(
            "throws",
            message =>
            {
                received.Enqueue(message.Span[0]);
                throw new InvalidOperationException("Thrown on purpose.");
            },
            default);
        await node.Backplane.PublishAsync("throws", new byte[] { 1 }, default);
        await node.Backplane.PublishAsync("throws", new byte[] { 2 }, default);
        await Poll.UntilAsync(() => received.Count == 2, "both were handed over");
    }

    [Fact]
    public async Task SubscriptionsAloneThatAreCutComeBackByThemselves()
    {
        await using var node = new RedisNode(redis.Server.ConnectionString);
        var received = new ConcurrentQueue<string>();
        await node.Backplane.StartAsync("cut", message => received.Enqueue(Encoding.UTF8.GetString(message.Span)), default);
        await node.Rooms.StartAsync(batch => received.Enqueue($"room {batch.FirstSeq}"), default);
        await node.Rooms.ListenAsync("lobby", default);
        await node.Backplane.PublishAsync("cut", "before"u8.ToArray(), default);
        await Poll.UntilAsync(() => received.Contains("before"), "it works at first");

        await redis.RunAsync("CLIENT", "KILL", "TYPE", "pubsub");
        var last = 0;
        await Poll.UntilAsync(
            async () =>
            {
                // Commands work all the while.
                await node.Backplane.PublishAsync("cut", Encoding.UTF8.GetBytes($"{++last}"), default);
                await node.Rooms.PublishAsync("lobby", RoomPriority.Normal, ["hello"u8.ToArray()], Keep, default);
                return received.Any(text => int.TryParse(text, CultureInfo.InvariantCulture, out _)) && received.Any(text => text.StartsWith("room", StringComparison.Ordinal));
            },
            "both are received again");
        await Poll.UntilAsync(() => received.Contains($"{last}"), "the last one has arrived");
        Assert.Equal(received.Distinct(), received);
    }

    [Fact]
    public async Task TwoPrefixesDoNotSeeEachOther()
    {
        await using var one = new RedisNode(redis.Server.ConnectionString, options => options.KeyPrefix = "one");
        await using var other = new RedisNode(redis.Server.ConnectionString, options => options.KeyPrefix = "other");
        var fromOne = new ConcurrentQueue<string>();
        var fromOther = new ConcurrentQueue<string>();
        await StartAsync(one, fromOne);
        await StartAsync(other, fromOther);
        await one.Backplane.PublishAsync("a", "1"u8.ToArray(), default);
        await one.Backplane.PublishToAllAsync("1"u8.ToArray(), default);
        await one.Rooms.PublishAsync("lobby", RoomPriority.Normal, ["1"u8.ToArray()], Keep, default);
        await one.Directory.RegisterAsync([Sessions.Of("alice")], default);
        await one.Members.BeginFillAsync("g", 1, "a", default);
        await one.Members.CompleteFillAsync("g", 1, "a", default);
        await other.Backplane.PublishToAllAsync("end"u8.ToArray(), default);

        await Poll.UntilAsync(() => fromOne.Count == 3 && fromOther.Contains("end"), "all have theirs");
        Assert.Equal(["end"], fromOther);
        Assert.Empty((await other.Directory.FindAsync(["alice"], default))[0].Sessions);
        Assert.Null(await other.Members.FindAsync("g", 1, ["alice"], default));
        Assert.Equal(0, (await other.Rooms.ReadAsync("lobby", RoomPriority.Normal, 0, 10, 0, default)).Head.Seq);
        Assert.All(await redis.KeysAsync(), key => Assert.Matches("^(one|other|im):", key));

        static async Task StartAsync(RedisNode node, ConcurrentQueue<string> received)
        {
            await node.Backplane.StartAsync("a", message => received.Enqueue(Encoding.UTF8.GetString(message.Span)), default);
            await node.Rooms.StartAsync(batch => received.Enqueue(Encoding.UTF8.GetString(batch.Messages[0].Span)), default);
            await node.Rooms.ListenAsync("lobby", default);
        }
    }
}
