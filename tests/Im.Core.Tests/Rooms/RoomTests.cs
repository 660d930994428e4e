using Im.Protocol;
using Im.Rooms;

namespace Im.Core.Tests.Rooms;

/// <summary>What a subscriber may rely on, whatever the store and the queues do.</summary>
public sealed class RoomTests
{
    [Theory]
    [InlineData(ImCodec.Protobuf)]
    [InlineData(ImCodec.Json)]
    public async Task HighMessagesOvertakeNormalOnesThatAreQueued(ImCodec codec)
    {
        await using var node = await RoomNode.StartAsync();
        var device = await RoomDevice.SignInAsync(node, "bob", codec);
        await device.AskAsync(RoomPackets.Subscribe("r"));
        await node.SendAsync("r", RoomPriority.Normal, "n1", "n2");
        await node.SendAsync("r", RoomPriority.High, "h1");
        await node.SendAsync("r", RoomPriority.Normal, "n3");
        await node.SendAsync("r", RoomPriority.High, "h2");
        Assert.Equal(["h1", "h2", "n1", "n2", "n3"], device.Read().Texts());
    }

    [Fact]
    public async Task AFullQueueDropsTheOldestNormalMessagesAndNoHighOneBeforeThem()
    {
        await using var node = await RoomNode.StartAsync(configure: options => options.MaxQueueMessages = 5);
        var device = await RoomDevice.SignInAsync(node, "bob");
        await device.AskAsync(RoomPackets.Subscribe("r"));
        await SendOneByOneAsync(RoomPriority.High, "h1", "h2");
        await SendOneByOneAsync(RoomPriority.Normal, "n1", "n2", "n3", "n4", "n5");
        Assert.Equal(2, node.Dropped);
        await SendOneByOneAsync(RoomPriority.High, "h3");
        Assert.Equal(3, node.Dropped);
        Assert.Equal(["h1", "h2", "h3", "n4", "n5"], device.Read().Texts());

        // High ones alone: the oldest of them.
        await SendOneByOneAsync(RoomPriority.High, "h4", "h5", "h6", "h7", "h8", "h9");
        await SendOneByOneAsync(RoomPriority.Normal, "n6");
        Assert.Equal(5, node.Dropped);
        var packets = device.Read();
        Assert.Equal(["h5", "h6", "h7", "h8", "h9"], packets.Texts());
        Assert.Equal(5, packets[0].RoomPush.FirstRoomSeq);
        await SendOneByOneAsync(RoomPriority.Normal, "n7");
        Assert.Equal(7, device.Read()[0].RoomPush.FirstRoomSeq);

        async Task SendOneByOneAsync(RoomPriority priority, params string[] texts)
        {
            foreach (var text in texts)
            {
                await node.SendAsync("r", priority, text);
            }
        }
    }

    [Fact]
    public async Task TheQueueIsBoundedInBytes()
    {
        await using var node = await RoomNode.StartAsync(configure: options => options.MaxQueueBytes = 10_000);
        var device = await RoomDevice.SignInAsync(node, "bob");
        await device.AskAsync(RoomPackets.Subscribe("r"));
        var body = new string('x', 3000);
        for (var i = 1; i <= 10; i++)
        {
            await node.SendAsync("r", RoomPriority.Normal, body + i);
        }

        Assert.Equal(7, node.Dropped);
        Assert.Equal([body + 8, body + 9, body + 10], device.Read().Texts());

        // One that is larger than the limit alone goes through an empty queue.
        await node.SendAsync("r", RoomPriority.Normal, new string('y', 20_000));
        Assert.Single(device.Read().Texts());
    }

    // Trap 17: what is published between the listening and the end of the replay comes once, behind the replay.
    [Fact]
    public async Task WhatIsPublishedWhileTheReplayIsReadComesOnceAndBehindIt()
    {
        await using var node = await RoomNode.StartAsync();
        await node.SendAsync("r", RoomPriority.Normal, "1", "2", "3");
        var other = await RoomDevice.SignInAsync(node, "other");
        await other.AskAsync(RoomPackets.Subscribe("r"));
        var device = await RoomDevice.SignInAsync(node, "bob");
        var reads = 0;
        node.Store.BeforeRead = async () =>
        {
            // Before the one of the high messages, and before the one of the normal ones, which has them too.
            reads++;
            await node.SendAsync("r", RoomPriority.Normal, $"{2 + (2 * reads)}", $"{3 + (2 * reads)}");
            await node.SendAsync("r", RoomPriority.High, $"high {reads}");
        };
        var packets = await device.AskAsync(RoomPackets.Subscribe("r", replay: 100));
        Assert.Equal(2, reads);
        Assert.Equal(7, packets[^1].RoomSubscribed.Head(RoomPriority.Normal));
        Assert.Equal(1, packets[^1].RoomSubscribed.Head(RoomPriority.High));
        Assert.Empty(packets.Texts());
        node.Store.BeforeRead = null;
        await node.SendAsync("r", RoomPriority.Normal, "8");
        Assert.Equal(["high 1", "high 2", "1", "2", "3", "4", "5", "6", "7", "8"], device.Read().Texts());
        Assert.Equal(["high 1", "high 2", "4", "5", "6", "7", "8"], other.Read().Texts());
    }

    [Fact]
    public async Task ManySubscribersWithoutReplayCostTheStoreOneListenAndTwoReads()
    {
        await using var node = await RoomNode.StartAsync();
        var devices = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => RoomDevice.SignInAsync(node, $"u{i}")));
        await Task.WhenAll(devices.Select(device => device.AskAsync(RoomPackets.Subscribe("r"))));
        Assert.Equal((1, 2), (node.Store.Listens, node.Store.Reads));
        await node.SendAsync("r", RoomPriority.Normal, "hello");
        Assert.All(devices, device => Assert.Equal(["hello"], device.Read().Texts()));
    }

    [Fact]
    public async Task WithoutItsStoreASubscriptionIsRefusedAndTheOldRoomStays()
    {
        await using var node = await RoomNode.StartAsync();
        var device = await RoomDevice.SignInAsync(node, "bob");
        await device.AskAsync(RoomPackets.Subscribe("old"));
        node.Store.IsDown = true;
        var error = (await device.AskAsync(RoomPackets.Subscribe("new", leaveOthers: true)))[^1].Error;
        Assert.Equal((int)ImErrorCode.ClusterUnavailable, error.Code);
        var refused = await Assert.ThrowsAsync<ImException>(() => node.SendAsync("old", RoomPriority.Normal, "x"));
        Assert.Equal(ImErrorCode.ClusterUnavailable, refused.Code);
        Assert.Equal((1, 0), (await node.CountAsync("old"), await node.CountAsync("new")));

        node.Store.IsDown = false;
        await node.SendAsync("old", RoomPriority.Normal, "still here");
        Assert.Equal(["still here"], device.Read().Texts());
        Assert.NotNull((await device.AskAsync(RoomPackets.Subscribe("new", leaveOthers: true)))[^1].RoomSubscribed);
        Assert.Equal((0, 1), (await node.CountAsync("old"), await node.CountAsync("new")));
    }

    [Fact]
    public async Task ALostBatchIsAGapAndANewEpochIsSeenInTheNextPush()
    {
        await using var node = await RoomNode.StartAsync();
        var device = await RoomDevice.SignInAsync(node, "bob");
        await device.AskAsync(RoomPackets.Subscribe("r"));
        var first = (await node.SendAsync("r", RoomPriority.Normal, "1"))[0];
        node.Store.LosesBatches = true;
        await node.SendAsync("r", RoomPriority.Normal, "2", "3");
        node.Store.LosesBatches = false;
        await node.SendAsync("r", RoomPriority.Normal, "4");
        Assert.Equal([1L, 4], device.Read().Select(packet => packet.RoomPush.FirstRoomSeq));

        // As from a store that came back empty; what is late of the old epoch is no news.
        node.Store.Receive(Batch("new", 1, "a"));
        node.Store.Receive(Batch(first.Epoch, 5, "late"));
        node.Store.Receive(Batch("new", 2, "b"));
        var packets = device.Read();
        Assert.Equal(["a", "b"], packets.Texts());
        Assert.All(packets, packet => Assert.Equal("new", packet.RoomPush.Epoch));
    }

    [Fact]
    public async Task ARoomThatFlapsIsNotLeftAndOneThatIsEmptyForLongIs()
    {
        await using var node = await RoomNode.StartAsync(configure: options => options.LingerTime = TimeSpan.FromMilliseconds(200));
        var device = await RoomDevice.SignInAsync(node, "bob");
        for (var i = 0; i < 20; i++)
        {
            await device.AskAsync(RoomPackets.Subscribe("r"));
            await device.AskAsync(RoomPackets.Leave("r"));
        }

        Assert.Equal(1, node.Store.Listens);
        var deadline = DateTime.UtcNow + RoomNode.Patience;
        while (node.Rooms.Count > 0)
        {
            Assert.True(DateTime.UtcNow < deadline, "The room was never left.");
            await Task.Delay(5);
        }

        await device.AskAsync(RoomPackets.Subscribe("r"));
        Assert.Equal(2, node.Store.Listens);
        await node.SendAsync("r", RoomPriority.Normal, "x");
        Assert.Equal(["x"], device.Read().Texts());
    }

    [Fact]
    public async Task WhatGathersDuringAPublishIsOneBatchInOrder()
    {
        await using var node = await RoomNode.StartAsync(configure: options => options.MaxBatchMessages = 40);
        var device = await RoomDevice.SignInAsync(node, "bob");
        await device.AskAsync(RoomPackets.Subscribe("r"));
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        node.Store.BeforePublish = () => gate.Task;
        var sends = Enumerable.Range(0, 101).Select(i => node.SendAsync("r", RoomPriority.Normal, $"{i}")).ToArray();
        gate.SetResult();
        var positions = await Task.WhenAll(sends);
        Assert.Equal(Enumerable.Range(1, 101).Select(i => (long)i), positions.Select(position => position[0].Seq));
        var packets = device.Read();
        Assert.Equal(Enumerable.Range(0, 101).Select(i => $"{i}"), packets.Texts());
        Assert.InRange(packets.Count, 3, 5);
    }

    // Traps 9 and 26: the answer to a request does not wait behind what a room pushes, nor a room behind a timeline for ever.
    [Fact]
    public async Task AnswersComeBeforeRoomPushesThatAreQueued()
    {
        await using var node = await RoomNode.StartAsync();
        var device = await RoomDevice.SignInAsync(node, "bob");
        await device.AskAsync(RoomPackets.Subscribe("r"));
        await node.SendAsync("r", RoomPriority.Normal, "1");
        await node.SendAsync("r", RoomPriority.Normal, "2");
        var packets = await device.AskAsync(new ClientPacket { Ping = new Ping() });
        Assert.Single(packets);
        Assert.Equal(["1", "2"], device.Read().Texts());
    }

    private static RoomBatch Batch(string epoch, long first, string text) => new(
        "r",
        epoch,
        RoomPriority.Normal,
        first,
        [Google.Protobuf.MessageExtensions.ToByteArray(new RoomMessage { SenderId = "$test", Content = new Content { ContentType = "text", Text = text } })]);
}
