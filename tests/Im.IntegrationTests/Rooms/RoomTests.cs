using Im.IntegrationTests.Support;
using Im.Model;
using Im.Protocol;
using Im.Rooms;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.Rooms;

/// <summary>Rooms over real sockets.</summary>
public sealed class RoomTests
{
    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.WebSocket)]
    [InlineData(Wire.Json)]
    public async Task WhoSubscribesGetsWhatIsSentFromThenOnInOrder(Wire wire)
    {
        await using var server = await TestServer.StartAsync(build: im => im.AllowAllRooms());
        await using var alice = await server.SignInAsync(wire, "alice");
        await using var bob = await server.SignInAsync(wire, "bob");
        await alice.SendToRoomAsync("lobby", "before");
        var subscribed = await bob.SubscribeAsync("lobby");
        Assert.Equal("lobby", subscribed.RoomId);
        Assert.Equal(1, subscribed.HeadOf(RoomPriority.Normal));
        Assert.Equal(0, subscribed.HeadOf(RoomPriority.High));

        for (var i = 2; i <= 20; i++)
        {
            await alice.WriteAsync(RoomClient.Message("lobby", $"m{i}"));
        }

        for (var i = 2; i <= 20; i++)
        {
            var sent = (await alice.WaitForAsync(ServerPacket.PacketOneofCase.RoomSent)).RoomSent;
            Assert.Equal(i, sent.RoomSeq);
        }

        Assert.Equal(Enumerable.Range(2, 19).Select(i => $"m{i}"), await bob.ReadRoomAsync("lobby", 2, 19));
        var high = await alice.SendToRoomAsync("lobby", "urgent", RoomPriority.High);
        Assert.Equal(1, high.RoomSeq);
        var push = (await bob.WaitForAsync(ServerPacket.PacketOneofCase.RoomPush)).RoomPush;
        Assert.Equal(subscribed.Epoch, push.Epoch);
        Assert.Equal(RoomPriority.High, push.Priority);
        var message = Assert.Single(push.Messages);
        Assert.Equal(("alice", "d1", "urgent", high.TimeMs), (message.SenderId, message.SenderDeviceId, message.ClientMessageId, message.TimeMs));
        Assert.Empty(server.Logs.Errors);
    }

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.Json)]
    public async Task TheReplayComesBehindTheAnswerAndBeforeWhatIsLive(Wire wire)
    {
        await using var server = await TestServer.StartAsync(build: im => im.AllowAllRooms());
        await using var bob = await server.SignInAsync(wire, "bob");
        await server.Im.Rooms.SendAsync("r", [.. Enumerable.Range(1, 30).Select(i => Message($"m{i}"))]);
        var request = await bob.WriteAsync(RoomClient.Subscribe("r", replay: 10));
        var answer = await bob.ReadNextAsync();
        while (answer.RequestId != request)
        {
            Assert.Null(answer.RoomPush);
            answer = await bob.ReadNextAsync();
        }

        Assert.Equal(30, answer.RoomSubscribed.HeadOf(RoomPriority.Normal));
        await server.Im.Rooms.SendAsync("r", Message("m31"));
        Assert.Equal(Enumerable.Range(21, 11).Select(i => $"m{i}"), await bob.ReadRoomAsync("r", 21, 11));

        // With a cursor: what follows on it, and no more. With another epoch's: none.
        await bob.AskAsync(RoomClient.Subscribe("r", epoch: answer.RoomSubscribed.Epoch, cursors: (RoomPriority.Normal, 28)));
        Assert.Equal(["m29", "m30", "m31"], await bob.ReadRoomAsync("r", 29, 3));
        await bob.AskAsync(RoomClient.Subscribe("r", epoch: "another", cursors: (RoomPriority.Normal, 28)));
        await server.Im.Rooms.SendAsync("r", Message("m32"));
        Assert.Equal(["m32"], await bob.ReadRoomAsync("r", 32, 1));
    }

    [Fact]
    public async Task SeveralRoomsAtOnceAndASwitchLeavesAllOthersInOneStep()
    {
        await using var server = await TestServer.StartAsync(build: im => im.AllowAllRooms().UseRooms(options => options.MaxRoomsPerConnection = 2));
        await using var bob = await server.SignInAsync(Wire.Tcp, "bob");
        await bob.SubscribeAsync("a");
        await bob.SubscribeAsync("b");
        var error = await bob.AskForErrorAsync(RoomClient.Subscribe("c"), ImErrorCode.TooManySubscriptions);
        Assert.Contains("MaxRoomsPerConnection", error.Message, StringComparison.Ordinal);
        await bob.SubscribeAsync("b");
        await server.Im.Rooms.SendAsync("a", Message("to a"));
        Assert.Equal(["to a"], await bob.ReadRoomAsync("a", 1, 1));

        await bob.SubscribeAsync("c", leaveOthers: true);
        Assert.Equal((0, 0, 1), (await CountAsync(server, "a"), await CountAsync(server, "b"), await CountAsync(server, "c")));
        await server.Im.Rooms.SendAsync("a", Message("not to bob"));
        await server.Im.Rooms.SendAsync("c", Message("to c"));
        Assert.Equal(["to c"], await bob.ReadRoomAsync("c", 1, 1));

        var left = await bob.AskAsync(new ClientPacket { LeaveRoom = new LeaveRoom { RoomId = "c" } });
        Assert.Equal("c", left.RoomLeft.RoomId);
        Assert.Equal(0, await CountAsync(server, "c"));
        left = await bob.AskAsync(new ClientPacket { LeaveRoom = new LeaveRoom { RoomId = "never" } });
        Assert.Equal("never", left.RoomLeft.RoomId);
    }

    [Fact]
    public async Task ASubscriptionEndsWithItsConnectionAndTheNodeCeasesToListen()
    {
        await using var server = await TestServer.StartAsync(build: im => im.AllowAllRooms().UseRooms(options => options.LingerTime = TimeSpan.FromMilliseconds(50)));
        await using (var bob = await server.SignInAsync(Wire.Tcp, "bob"))
        {
            await bob.SubscribeAsync("a");
            Assert.Equal(1, await CountAsync(server, "a"));
        }

        await Wait.ForAsync(() => server.Services.GetRequiredService<RoomRegistry>().Find("a") is not { Count: > 0 }, "the subscription to end");
        await Wait.ForAsync(() => server.Services.GetRequiredService<RoomRegistry>().Count == 0, "the node to let go of the room");
        await using var again = await server.SignInAsync(Wire.Tcp, "bob");
        await again.SubscribeAsync("a");
        await server.Im.Rooms.SendAsync("a", Message("again"));
        Assert.Equal(["again"], await again.ReadRoomAsync("a", 1, 1));
        Assert.Equal(1, await server.Im.Rooms.RemoveAsync("a", "bob").AsTask().InTimeAsync());
        Assert.Equal("a", (await again.WaitForAsync(ServerPacket.PacketOneofCase.RoomLeft)).RoomLeft.RoomId);
        Assert.Equal(0, server.Metrics["im.rooms.subscriptions"]);
    }

    [Fact]
    public async Task WithoutAPolicyClientsAreToldTheLineThatIsMissing()
    {
        await using var server = await TestServer.StartAsync();
        await using var bob = await server.SignInAsync(Wire.Tcp, "bob");
        foreach (var request in new[] { RoomClient.Subscribe("a"), RoomClient.Message("a", "x") })
        {
            var error = await bob.AskForErrorAsync(request, ImErrorCode.RoomForbidden);
            Assert.EndsWith(".AddRoomPolicy<MyRoomPolicy>(); or builder.Services.AddImServer().AllowAllRooms();", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(1, (await server.Im.Rooms.SendAsync("a", Message("the host needs none"))).Seq);
    }

    [Fact]
    public async Task ThePolicyIsAskedForEachSubscriptionAndEachSend()
    {
        await using var server = await TestServer.StartAsync(build: im => im.AddRoomPolicy<OwnRoomOnly>());
        await using var bob = await server.SignInAsync(Wire.Tcp, "bob");
        await bob.AskForErrorAsync(RoomClient.Subscribe("alice/d1"), ImErrorCode.RoomForbidden);
        await bob.AskForErrorAsync(RoomClient.Message("bob/d1", "x"), ImErrorCode.RoomForbidden);
        await bob.SubscribeAsync("bob/d1");
        await bob.SendToRoomAsync("alice/d1", "x");
    }

    [Fact]
    public async Task WhatIsNotValidIsRefusedAndChangesNothing()
    {
        await using var server = await TestServer.StartAsync(options => options.MaxSendsPerSecond = 3, im => im.AllowAllRooms());
        await using var bob = await server.SignInAsync(Wire.Tcp, "bob");
        await bob.AskForErrorAsync(RoomClient.Subscribe(""), ImErrorCode.InvalidArgument);
        await bob.AskForErrorAsync(RoomClient.Subscribe(new string('x', 129)), ImErrorCode.InvalidArgument);
        await bob.AskForErrorAsync(RoomClient.Subscribe("a", replay: -1), ImErrorCode.InvalidArgument);
        await bob.AskForErrorAsync(RoomClient.Subscribe("a", cursors: (RoomPriority.Normal, -1)), ImErrorCode.InvalidArgument);
        await bob.AskForErrorAsync(RoomClient.Message("", "x"), ImErrorCode.InvalidArgument);
        await bob.AskForErrorAsync(RoomClient.Message("a", ""), ImErrorCode.EmptyBody);
        await bob.AskForErrorAsync(RoomClient.Message("a", "x", (RoomPriority)7), ImErrorCode.InvalidArgument);
        await bob.AskForErrorAsync(RoomClient.Message("a", new string('x', 65)), ImErrorCode.InvalidArgument);
        var error = await Assert.ThrowsAsync<ImException>(() => server.Im.Rooms.SendAsync("a", new OutgoingRoomMessage { SenderId = "$", Content = MessageContent.FromText("x") }).AsTask());
        Assert.Equal(ImErrorCode.InvalidArgument, error.Code);
        for (var i = 0; i < 3; i++)
        {
            await bob.SendToRoomAsync("a", "x");
        }

        // The bucket is empty, but for what time puts back.
        ServerPacket refused;
        var extra = 0;
        do
        {
            refused = await bob.AskAsync(RoomClient.Message("a", "one too many"));
        }
        while (refused.Error is null && ++extra < 100);

        Assert.Equal((int)ImErrorCode.RateLimited, refused.Error?.Code);
        Assert.Equal(0, await CountAsync(server, "a"));
    }

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.Json)]
    public async Task AStoppedSubscriberDisturbsNobodyAndSeesAGap(Wire wire)
    {
        const int Messages = 3000;
        await using var server = await TestServer.StartAsync(build: im => im.AllowAllRooms().UseRooms(options => options.MaxQueueBytes = 64 * 1024));
        await using var stopped = await server.SignInAsync(wire, "stopped", receiveBufferBytes: 4096);
        await using var reader = await server.SignInAsync(wire, "reader");
        await stopped.SubscribeAsync("r");
        await reader.SubscribeAsync("r");
        var body = new string('x', 1000);
        var read = 0;
        var reading = ReadAsync();
        for (var i = 0; i < Messages; i += 20)
        {
            await server.Im.Rooms.SendAsync("r", [.. Enumerable.Range(i, 20).Select(n => Message(body + n))]).AsTask().InTimeAsync();

            // The reader has a bounded queue, too.
            await Wait.ForAsync(() => Volatile.Read(ref read) >= i || reading.IsCompleted, "the reader to read");
        }

        await server.Im.Rooms.SendAsync("r", Message("urgent"), RoomPriority.High);
        await reading.WaitAsync(TimeSpan.FromSeconds(20));

        // Whoever stopped gets what the socket held, then the high message before the newest normal ones, and never one twice.
        var (received, last, gaps, high) = (0, 0L, 0L, false);
        while (last < Messages || !high)
        {
            var push = (await stopped.WaitForAsync(ServerPacket.PacketOneofCase.RoomPush)).RoomPush;
            if (push.Priority == RoomPriority.High)
            {
                high = true;
                Assert.True(last < Messages, "The high message overtook nothing.");
                continue;
            }

            Assert.True(push.FirstRoomSeq > last, $"{push.FirstRoomSeq} after {last}");
            gaps += push.FirstRoomSeq - last - 1;
            received += push.Messages.Count;
            last = push.FirstRoomSeq + push.Messages.Count - 1;
        }

        Assert.Equal(Messages, received + gaps);
        Assert.True(gaps > 0, "Nothing was dropped, so this proves nothing.");
        Assert.Equal(gaps, server.Metrics["im.rooms.dropped"]);
        Assert.Empty(server.Logs.Errors);

        async Task ReadAsync()
        {
            while (read < Messages)
            {
                var texts = await reader.ReadRoomAsync("r", read + 1, 1);
                Assert.Equal(Enumerable.Range(read, texts.Count).Select(n => body + n), texts);
                Volatile.Write(ref read, read + texts.Count);
            }
        }
    }

    private static Task<int> CountAsync(TestServer server, string room) => server.Im.Rooms.CountSubscribersAsync(room).AsTask().InTimeAsync();

    internal static OutgoingRoomMessage Message(string text) => new() { SenderId = "$test", Content = MessageContent.FromText(text) };

    private sealed class OwnRoomOnly : IRoomPolicy
    {
        public ValueTask<bool> CanSubscribeAsync(RoomAccess access, CancellationToken cancellationToken) =>
            ValueTask.FromResult(access.RoomId == $"{access.UserId}/{access.DeviceId}");

        public ValueTask<bool> CanSendAsync(RoomAccess access, CancellationToken cancellationToken) =>
            ValueTask.FromResult(access.RoomId != $"{access.UserId}/{access.DeviceId}");
    }
}
