using Im.Protocol;

namespace Im.Client.Tests;

/// <summary>Rooms over reconnects: each message once and in order, and what is missing is told.</summary>
public sealed class RoomTests : ClientTest
{
    [Fact]
    public async Task MessagesComeInOrderAndWhatIsMissingIsToldBeforeWhatFollows()
    {
        var client = NewClient();
        var connection = await ConnectAsync(client);
        await SubscribeAsync(client, connection, "r", normal: 5);
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        await connection.SendAsync(Push("r", 6, 2));
        await AssertMessageAsync(events, 6);
        await AssertMessageAsync(events, 7);
        await connection.SendAsync(Push("r", 10, 1));
        Assert.Equal(new ImRoomGapEvent("r", RoomPriority.Normal, 8, 9), await NextAsync(events));
        await AssertMessageAsync(events, 10);

        // The other priority has its own seqs; what was had before does not come again.
        await connection.SendAsync(Push("r", 1, 1, RoomPriority.High));
        await connection.SendAsync(Push("r", 9, 3));
        await AssertMessageAsync(events, 1, RoomPriority.High);
        await AssertMessageAsync(events, 11);

        // Anew: a lost beginning of the new count is a gap, too.
        await connection.SendAsync(Push("r", 2, 1, epoch: "e2"));
        Assert.Equal(new ImRoomGapEvent("r", RoomPriority.Normal, 1, 1), await NextAsync(events));
        await AssertMessageAsync(events, 2);

        // Not of a room that nobody asked for.
        await connection.SendAsync(Push("other", 1, 1));
        await connection.SendAsync(Push("r", 3, 1, epoch: "e2"));
        await AssertMessageAsync(events, 3);
    }

    [Fact]
    public async Task AReplayBeginsWhereItBeginsAndIsNoGap()
    {
        var client = NewClient();
        var connection = await ConnectAsync(client);
        var subscribing = client.SubscribeRoomAsync("r", new ImRoomSubscription { ReplayMessages = 3, ReplayAge = TimeSpan.FromSeconds(2), LeaveOthers = true });
        var request = await RequestAsync(connection);
        Assert.Equal((3, 2000L, true), (request.SubscribeRoom.ReplayMessages, request.SubscribeRoom.ReplayMs, request.SubscribeRoom.LeaveOthers));
        await connection.SendAsync(Subscribed(request, "e1", 8, 2));
        Assert.Equal(new ImRoomState("e1", 8, 2), await subscribing.WaitAsync(Wait.Limit));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        await connection.SendAsync(Push("r", 7, 3));
        await AssertMessageAsync(events, 7);
        await AssertMessageAsync(events, 8);
        await AssertMessageAsync(events, 9);
    }

    [Fact]
    public async Task ALostConnectionsRoomsAreSubscribedAgainFromWhatWasReceived()
    {
        var client = NewClient();
        var first = await ConnectAsync(client);
        await SubscribeAsync(client, first, "r", normal: 5, high: 1);
        await SubscribeAsync(client, first, "left");
        var leaving = client.LeaveRoomAsync("left");
        await first.SendAsync(new ServerPacket { RequestId = (await RequestAsync(first)).RequestId, RoomLeft = new RoomLeft { RoomId = "left" } });
        await leaving.WaitAsync(Wait.Limit);
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        await first.SendAsync(Push("r", 6, 1));
        await AssertMessageAsync(events, 6);
        first.Dispose();

        var second = await Server.AcceptAsync();
        await second.SignInAsync();
        var request = await RequestAsync(second);
        Assert.Equal(("r", "e1", false), (request.SubscribeRoom.RoomId, request.SubscribeRoom.Epoch, request.SubscribeRoom.LeaveOthers));
        Assert.Equal([(RoomPriority.Normal, 6L), (RoomPriority.High, 1L)], request.SubscribeRoom.Cursors.Select(cursor => (cursor.Priority, cursor.RoomSeq)));

        // Refused for a moment: it is tried again.
        await second.SendAsync(new ServerPacket { RequestId = request.RequestId, Error = new Error { Code = (int)ImErrorCode.ClusterUnavailable } });
        request = await RequestAsync(second);
        await second.SendAsync(Subscribed(request, "e1", 20, 1));
        await second.SendAsync(Push("r", 9, 1));
        Assert.Equal(new ImRoomGapEvent("r", RoomPriority.Normal, 7, 8), await NextAsync(events));
        await AssertMessageAsync(events, 9);
        second.Dispose();

        // Refused for good: the application is told.
        var third = await Server.AcceptAsync();
        await third.SignInAsync();
        request = await RequestAsync(third);
        Assert.Equal(9, request.SubscribeRoom.Cursors[0].RoomSeq);
        await third.SendAsync(new ServerPacket { RequestId = request.RequestId, Error = new Error { Code = (int)ImErrorCode.RoomForbidden, Reason = "room_forbidden" } });
        var left = Assert.IsType<ImRoomLeftEvent>(await NextAsync(events));
        Assert.Equal(("r", ImErrorCode.RoomForbidden), (left.RoomId, left.Error?.Code));
    }

    [Fact]
    public async Task WhomTheHostRemovesIsTold()
    {
        var client = NewClient();
        var connection = await ConnectAsync(client);
        await SubscribeAsync(client, connection, "r");
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        await connection.SendAsync(new ServerPacket { RoomLeft = new RoomLeft { RoomId = "r" } });
        Assert.Equal(new ImRoomLeftEvent("r", null), await NextAsync(events));
    }

    [Fact]
    public async Task AMessageToARoomIsNotSentTwiceAndARefusalIsThrown()
    {
        var client = NewClient();
        var connection = await ConnectAsync(client);
        var sending = client.SendTextToRoomAsync("r", "hello");
        var request = await RequestAsync(connection);
        Assert.Equal(("r", "hello"), (request.SendToRoom.RoomId, request.SendToRoom.Content.Text));
        await connection.SendAsync(new ServerPacket { RequestId = request.RequestId, RoomSent = new RoomSent { RoomId = "r", RoomSeq = 7, TimeMs = 1000 } });
        Assert.Equal(new ImRoomAck(7, DateTimeOffset.FromUnixTimeSeconds(1)), await sending.WaitAsync(Wait.Limit));

        sending = client.SendTextToRoomAsync("r", "refused");
        request = await RequestAsync(connection);
        await connection.SendAsync(new ServerPacket { RequestId = request.RequestId, Error = new Error { Code = (int)ImErrorCode.RateLimited } });
        Assert.Equal(ImErrorCode.RateLimited, (await Assert.ThrowsAsync<ImClientException>(() => sending.WaitAsync(Wait.Limit))).Code);

        sending = client.SendTextToRoomAsync("r", "lost");
        await RequestAsync(connection);
        connection.Dispose();
        Assert.Equal(ImClientFailure.Disconnected, (await Assert.ThrowsAsync<ImClientException>(() => sending.WaitAsync(Wait.Limit))).Failure);
    }

    private static async Task SubscribeAsync(ImClient client, FakeConnection connection, string room, long normal = 0, long high = 0)
    {
        var subscribing = client.SubscribeRoomAsync(room);
        await connection.SendAsync(Subscribed(await RequestAsync(connection), "e1", normal, high));
        await subscribing.WaitAsync(Wait.Limit);
    }

    private static async Task<ClientPacket> RequestAsync(FakeConnection connection) => Assert.IsType<ClientPacket>(await connection.ReadAsync());

    private static ServerPacket Subscribed(ClientPacket request, string epoch, long normal, long high) => new()
    {
        RequestId = request.RequestId,
        RoomSubscribed = new RoomSubscribed
        {
            RoomId = request.SubscribeRoom.RoomId,
            Epoch = epoch,
            Heads = { new RoomCursor { Priority = RoomPriority.Normal, RoomSeq = normal }, new RoomCursor { Priority = RoomPriority.High, RoomSeq = high } },
        },
    };

    private static ServerPacket Push(string room, long first, int count, RoomPriority priority = RoomPriority.Normal, string epoch = "e1")
    {
        var push = new RoomPush { RoomId = room, Epoch = epoch, Priority = priority, FirstRoomSeq = first };
        for (var seq = first; seq < first + count; seq++)
        {
            push.Messages.Add(new RoomMessage { SenderId = "bob", Content = new Content { ContentType = "text", Text = $"{seq}" } });
        }

        return new ServerPacket { RoomPush = push };
    }

    private static async Task AssertMessageAsync(IAsyncEnumerator<ImEvent> events, long seq, RoomPriority priority = RoomPriority.Normal)
    {
        var message = Assert.IsType<ImRoomMessageEvent>(await NextAsync(events));
        Assert.Equal(("r", priority, seq, $"{seq}"), (message.RoomId, message.Priority, message.Seq, message.Message.Content.Text));
    }
}
