using System.Collections.Concurrent;
using System.Text;
using Im.Protocol;
using Im.Rooms;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="IRoomStore"/>.</summary>
public abstract class RoomStoreSpecification(IClusterFixture fixture) : ClusterSpecification(fixture)
{
    private const string Room = "room {1}: ä*";

    private static readonly RoomReplayLimits Keep = new(100, TimeSpan.FromMinutes(10));

    /// <summary>Clients see gaps by the seq, so it has none of its own.</summary>
    [Fact]
    public virtual async Task EachPriorityIsNumberedFromOneWithoutHoles()
    {
        var (store, _) = await StartAsync();
        var first = await PublishAsync(store, RoomPriority.Normal, "a", "b", "c");
        Assert.Equal(1, first.Seq);
        Assert.NotEqual("", first.Epoch);
        Assert.Equal(first with { Seq = 4 }, await PublishAsync(store, RoomPriority.Normal, "d"));
        Assert.Equal(first with { Seq = 1 }, await PublishAsync(store, RoomPriority.High, "x"));
        Assert.Equal(first with { Seq = 5 }, await PublishAsync(store, RoomPriority.Normal, "e"));
        Assert.NotEqual(first.Epoch, (await store.PublishAsync("another", RoomPriority.Normal, Bytes("a"), Keep, default).Soon()).Epoch);
    }

    /// <summary>A room is live on every node that has a subscriber, the publisher's own included.</summary>
    [Fact]
    public virtual async Task WhoListensReceivesWhatIsPublishedFromThenOn()
    {
        var (one, fromOne) = await StartAsync();
        var (other, fromOther) = await StartAsync();
        var (third, fromThird) = await StartAsync();
        await PublishAsync(one, RoomPriority.Normal, "before");
        await one.ListenAsync(Room, default).Soon();
        await other.ListenAsync(Room, default).Soon();
        await third.ListenAsync("another", default).Soon();
        var position = await PublishAsync(one, RoomPriority.Normal, "a", "b");
        await PublishAsync(other, RoomPriority.High, "c");

        await UntilAsync(() => fromOne.Count == 2 && fromOther.Count == 2, "both nodes have both batches");
        foreach (var received in new[] { fromOne, fromOther })
        {
            var normal = received.Single(batch => batch.Priority == RoomPriority.Normal);
            Assert.Equal((Room, position.Epoch, 2L), (normal.RoomId, normal.Epoch, normal.FirstSeq));
            Assert.Equal(["a", "b"], Texts(normal.Messages));
            Assert.Equal(["c"], Texts(received.Single(batch => batch.Priority == RoomPriority.High).Messages));
        }

        Assert.Empty(fromThird);
    }

    /// <summary>A message that came twice would be shown twice.</summary>
    [Fact]
    public virtual async Task ListeningTwiceReceivesOnce()
    {
        var (store, received) = await StartAsync();
        await store.ListenAsync(Room, default).Soon();
        await Task.WhenAll(store.ListenAsync(Room, default).Soon(), store.ListenAsync(Room, default).Soon()).Soon();
        await PublishAsync(store, RoomPriority.Normal, "a");
        await PublishAsync(store, RoomPriority.Normal, "b");
        await UntilAsync(() => Received(received).Contains("b"), "both have arrived");
        Assert.Equal(["a", "b"], Received(received));

        await store.StopListeningAsync(Room, default).Soon();
        await store.ListenAsync("another", default).Soon();
        await PublishAsync(store, RoomPriority.Normal, "c");
        await store.PublishAsync("another", RoomPriority.Normal, Bytes("end"), Keep, default).Soon();
        await UntilAsync(() => Received(received).Contains("end"), "the end has arrived");
        Assert.Equal(["a", "b", "end"], Received(received));
    }

    /// <summary>The last subscriber goes and the next one comes: nothing that was published after listening is missing.</summary>
    [Fact]
    public virtual async Task StoppingAndListeningAgainReceivesWhatComesThen()
    {
        var (store, received) = await StartAsync();
        for (var i = 0; i < 20; i++)
        {
            await store.ListenAsync(Room, default).Soon();
            await PublishAsync(store, RoomPriority.Normal, $"{i}");
            await UntilAsync(() => Received(received).Contains($"{i}"), $"message {i} has arrived");
            await store.StopListeningAsync(Room, default).Soon();
        }
    }

    /// <summary>Several nodes publish at once: every listener sees each seq once, in order, and the same message at it.</summary>
    [Fact]
    public virtual async Task OrderIsTheSameForAllListenersHoweverManyPublish()
    {
        const int each = 300;
        var (one, fromOne) = await StartAsync();
        var (other, fromOther) = await StartAsync();
        await one.ListenAsync(Room, default).Soon();
        await other.ListenAsync(Room, default).Soon();
        await Task.WhenAll(PublishManyAsync(one, "one"), PublishManyAsync(other, "other")).WaitAsync(TimeLimit.Default);

        await UntilAsync(() => Received(fromOne).Length == 2 * each && Received(fromOther).Length == 2 * each, "all have arrived");
        foreach (var received in new[] { fromOne, fromOther })
        {
            var next = 1L;
            foreach (var batch in received)
            {
                Assert.Equal(next, batch.FirstSeq);
                next += batch.Messages.Count;
            }
        }

        Assert.Equal(Received(fromOne), Received(fromOther));

        async Task PublishManyAsync(IRoomStore store, string name)
        {
            for (var i = 0; i < each; i += 3)
            {
                await PublishAsync(store, RoomPriority.Normal, $"{name} {i}", $"{name} {i + 1}", $"{name} {i + 2}");
            }
        }
    }

    /// <summary>Who comes later sees the last messages, and where the room stands.</summary>
    [Fact]
    public virtual async Task WhatIsKeptIsReadUpToTheHead()
    {
        var (store, _) = await StartAsync();
        var first = await PublishAsync(store, RoomPriority.Normal, "a", "b", "c");
        await PublishAsync(store, RoomPriority.High, "x");
        await PublishAsync(store, RoomPriority.Normal, "d", "e");

        await AssertReadAsync(store, 0, 100, first with { Seq = 5 }, 1, "a", "b", "c", "d", "e");
        await AssertReadAsync(store, 2, 100, first with { Seq = 5 }, 3, "c", "d", "e");
        await AssertReadAsync(store, 0, 2, first with { Seq = 5 }, 4, "d", "e");
        await AssertReadAsync(store, 5, 100, first with { Seq = 5 }, 6);
        await AssertReadAsync(store, 0, 0, first with { Seq = 5 }, 6);
        var high = await store.ReadAsync(Room, RoomPriority.High, 0, 100, 0, default).Soon();
        Assert.Equal((first with { Seq = 1 }, 1L), (high.Head, high.FirstSeq));
        Assert.Equal(["x"], Texts(high.Messages));
    }

    /// <summary>A room's replay does not grow.</summary>
    [Fact]
    public virtual async Task OfAPriorityOnlyTheLastMessagesAreKept()
    {
        var (store, _) = await StartAsync();
        var keep = new RoomReplayLimits(3, TimeSpan.FromMinutes(10));
        var first = await store.PublishAsync(Room, RoomPriority.Normal, Bytes("a", "b"), keep, default).Soon();
        await store.PublishAsync(Room, RoomPriority.Normal, Bytes("c", "d", "e", "f", "g"), keep, default).Soon();
        await AssertReadAsync(store, 0, 100, first with { Seq = 7 }, 5, "e", "f", "g");
    }

    /// <summary>A room without a replay keeps nothing and is numbered all the same.</summary>
    [Fact]
    public virtual async Task WhereNothingIsToBeKeptNothingIs()
    {
        var (store, _) = await StartAsync();
        var first = await store.PublishAsync(Room, RoomPriority.Normal, Bytes("a", "b"), Keep with { Messages = 0 }, default).Soon();
        await AssertReadAsync(store, 0, 100, first with { Seq = 2 }, 3);
    }

    /// <summary>"The last ten minutes" is asked for in the store's own time.</summary>
    [Fact]
    public virtual async Task OnlyWhatIsYoungEnoughIsRead()
    {
        var (store, _) = await StartAsync();
        var first = await PublishAsync(store, RoomPriority.Normal, "a", "b");
        var replay = await store.ReadAsync(Room, RoomPriority.Normal, 0, 100, 9_999_999_999_999, default).Soon();
        Assert.Equal((first with { Seq = 2 }, 3L, 0), (replay.Head, replay.FirstSeq, replay.Messages.Count));
        replay = await store.ReadAsync(Room, RoomPriority.Normal, 0, 100, 1_700_000_000_000, default).Soon();
        Assert.Equal(2, replay.Messages.Count);
    }

    /// <summary>A room that nobody has published to has no epoch yet: the first message begins it at 1.</summary>
    [Fact]
    public virtual async Task ARoomThatNobodyPublishedToIsEmpty()
    {
        var (store, _) = await StartAsync();
        await store.ListenAsync(Room, default).Soon();
        await AssertReadAsync(store, 0, 100, new RoomPosition("", 0), 1);
        Assert.Equal(1, (await PublishAsync(store, RoomPriority.Normal, "a")).Seq);
    }

    /// <summary>Any bytes.</summary>
    [Fact]
    public virtual async Task BytesStayWhatTheyAre()
    {
        var (store, received) = await StartAsync();
        await store.ListenAsync(Room, default).Soon();
        byte[][] messages = [[], [0, 10, 13, 255], [.. Enumerable.Range(0, 100_000).Select(i => (byte)i)]];
        await store.PublishAsync(Room, RoomPriority.Normal, [.. messages.Select(message => (ReadOnlyMemory<byte>)message)], Keep, default).Soon();

        var replay = await store.ReadAsync(Room, RoomPriority.Normal, 0, 100, 0, default).Soon();
        Assert.Equal(messages, replay.Messages.Select(message => message.ToArray()));
        await UntilAsync(() => !received.IsEmpty, "the batch has arrived");
        Assert.Equal(messages, received.Single().Messages.Select(message => message.ToArray()));
    }

    /// <summary>A store that has lost a room says so by another epoch, never by going back in the old one.</summary>
    [AbilityFact]
    public virtual async Task ARoomThatWasLostBeginsANewEpoch()
    {
        var (store, received) = await StartAsync();
        await store.ListenAsync(Room, default).Soon();
        var before = await PublishAsync(store, RoomPriority.Normal, "a", "b");
        await RestartEmptyAsync();

        var after = await PublishAsync(store, RoomPriority.Normal, "c");
        Assert.Equal(1, after.Seq);
        Assert.NotEqual(before.Epoch, after.Epoch);
        await UntilAsync(
            async () =>
            {
                await PublishAsync(store, RoomPriority.Normal, "more");
                return received.Any(batch => batch.Epoch == after.Epoch);
            },
            "what is published is received again");
    }

    private async Task<(IRoomStore Store, ConcurrentQueue<RoomBatch> Received)> StartAsync()
    {
        var received = new ConcurrentQueue<RoomBatch>();
        var store = (await CreateNodeAsync()).Rooms!;
        await store.StartAsync(received.Enqueue, default).Soon();
        return (store, received);
    }

    private static Task<RoomPosition> PublishAsync(IRoomStore store, RoomPriority priority, params string[] messages) =>
        store.PublishAsync(Room, priority, Bytes(messages), Keep, default).Soon();

    private static async Task AssertReadAsync(IRoomStore store, long after, int limit, RoomPosition head, long firstSeq, params string[] messages)
    {
        var replay = await store.ReadAsync(Room, RoomPriority.Normal, after, limit, 0, default).Soon();
        Assert.Equal((head, firstSeq), (replay.Head, replay.FirstSeq));
        Assert.Equal(messages, Texts(replay.Messages));
    }

    private static IReadOnlyList<ReadOnlyMemory<byte>> Bytes(params string[] messages) =>
        [.. messages.Select(message => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(message))];

    private static string[] Texts(IEnumerable<ReadOnlyMemory<byte>> messages) => [.. messages.Select(message => Encoding.UTF8.GetString(message.Span))];

    private static string[] Received(IEnumerable<RoomBatch> batches) => [.. batches.SelectMany(batch => Texts(batch.Messages))];
}
