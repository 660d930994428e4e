using Im.Protocol;

namespace Im.Client.Tests;

public sealed class ReconnectTests : ClientTest
{
    [Fact]
    public async Task AShutdownIsFollowedByAReconnectNotBeforeItsDelay()
    {
        var time = new FakeTime();
        var client = NewClient(o =>
        {
            o.TimeProvider = time;
            o.ReconnectMinDelay = o.ReconnectMaxDelay = TimeSpan.FromSeconds(1);
        });
        using var first = await ConnectAsync(client);
        await first.CloseAsync(ImCloseCode.Shutdown, reconnectAfterMs: 5000);
        await Wait.Until(() => client.State == ImClientState.Reconnecting && time.Waiting().Length == 1);
        Assert.InRange(time.Waiting()[0], TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(6));
        time.Advance(TimeSpan.FromMilliseconds(4999));
        Assert.Single(time.Waiting());
        Assert.False(Server.HasPending);
        time.Advance(TimeSpan.FromSeconds(1.1));
        using var second = await Server.AcceptAsync();
        await second.SignInAsync();
        await Wait.Until(() => client.State == ImClientState.Connected);
    }

    [Theory]
    [InlineData(ImCloseCode.Replaced)]
    [InlineData(ImCloseCode.Disconnected)]
    [InlineData((ImCloseCode)4321)]
    public async Task AFinalCloseCodeEndsTheClient(ImCloseCode code)
    {
        var client = NewClient();
        using var connection = await ConnectAsync(client);
        await connection.SendAsync(Packets.Inbox(1));
        var sending = Send(client, "m");
        await connection.ReadSendAsync();
        await connection.CloseAsync(code);

        var reason = await client.Closed.WaitAsync(Wait.Limit);
        Assert.Equal(code, reason.Code);
        var error = await Assert.ThrowsAsync<ImClientException>(() => sending.WaitAsync(Wait.Limit));
        Assert.Equal((ImClientFailure.Closed, code), (error.Failure, error.CloseCode));
        Assert.Equal(ImClientState.Closed, client.State);

        // What had arrived is still handed over, then the stream says why it ends.
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        Assert.Equal(1, await NextSeqAsync(events));
        Assert.Same(error, await Assert.ThrowsAsync<ImClientException>(() => events.MoveNextAsync().AsTask().WaitAsync(Wait.Limit)));
    }

    [Fact]
    public async Task WaitsGrowUpToTheLimitWhileTheServerIsAway()
    {
        var time = new FakeTime();
        var uri = Server.Uri;
        Server.Leave();
        var lost = 0;
        var client = NewClient(o =>
        {
            o.Server = uri;
            o.TimeProvider = time;
            o.ReconnectMinDelay = TimeSpan.FromSeconds(1);
            o.ReconnectMaxDelay = TimeSpan.FromSeconds(8);
            o.ConnectTimeout = TimeSpan.FromHours(1);
        });
        client.StateChanged += (_, e) => lost += e.Error is null ? 0 : 1;
        using var stop = new CancellationTokenSource();
        var connecting = client.ConnectAsync(stop.Token);
        for (var attempt = 0; attempt < 12; attempt++)
        {
            await Wait.Until(() => Volatile.Read(ref lost) == attempt + 1 && time.Waiting().Length == 1);
            Assert.InRange(time.Waiting()[0], TimeSpan.Zero, TimeSpan.FromSeconds(Math.Min(8, 1 << Math.Min(attempt, 10))));
            time.Advance(TimeSpan.FromSeconds(8));
        }

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
    }

    [Fact]
    public async Task APingWithoutAnAnswerMeansThatTheServerIsDead()
    {
        var time = new FakeTime();
        var client = NewClient(o => o.TimeProvider = time);
        using var first = await ConnectAsync(client, s => s.IdleTimeoutMs = 9000);
        await Wait.Until(() => time.Waiting().Contains(TimeSpan.FromSeconds(3))); // A third of the server's idle timeout.
        time.Advance(TimeSpan.FromSeconds(3));
        var ping = await first.ReadAnyAsync().WaitAsync(Wait.Limit);
        Assert.Equal(ClientPacket.PacketOneofCase.Ping, ping!.PacketCase);

        // An answered ping keeps the connection.
        await Wait.Until(() => time.Waiting().Contains(TimeSpan.FromSeconds(3)));
        time.Advance(TimeSpan.FromSeconds(1));
        await first.SendAsync(new ServerPacket { RequestId = ping.RequestId, Pong = new Pong() }, Packets.Inbox(1));
        await using (var events = client.ReadAsync().GetAsyncEnumerator())
        {
            await NextAsync(events); // The pong before it was read.
        }

        time.Advance(TimeSpan.FromSeconds(2));
        await Wait.Until(() => time.Waiting().Contains(TimeSpan.FromSeconds(3)));
        Assert.Equal(ImClientState.Connected, client.State);

        // The next one is not answered.
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(ClientPacket.PacketOneofCase.Ping, (await first.ReadAnyAsync().WaitAsync(Wait.Limit))!.PacketCase);
        await Wait.Until(() => time.Waiting().Contains(TimeSpan.FromSeconds(3)));
        time.Advance(TimeSpan.FromSeconds(3));
        await Wait.Until(() => client.State == ImClientState.Reconnecting);
        await first.AssertClosedAsync();
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF })] // No length.
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0x7F })] // Too long.
    [InlineData(new byte[] { 3, 0xFF, 0xFF, 0xFF })] // No packet.
    [InlineData(new byte[] { 9, 1, 2 })] // Cut in the middle.
    public async Task BytesThatAreNoPacketEndTheConnectionAndTheNextOneGoesOn(byte[] bytes)
    {
        var client = NewClient();
        using var first = await ConnectAsync(client);
        await first.SendAsync(Packets.Inbox(1));
        await first.Stream.WriteAsync(bytes);
        first.Stream.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        using var second = await Server.AcceptAsync();
        Assert.Equal(1, (await second.SignInAsync()).InboxCursor);
        await first.AssertClosedAsync();
    }

    [Fact]
    public async Task PacketsAgainstTheProtocolEndTheConnection()
    {
        var client = NewClient();
        var connection = await ConnectAsync(client);
        foreach (var bad in new[]
        {
            new ServerPacket { Snapshot = new Snapshot() },
            new ServerPacket { SignedIn = new SignedIn() },
            new ServerPacket { Push = new Push { Entries = { new Entry() } } },
            new ServerPacket { Push = new Push { FirstInboxSeq = 1, FirstConversationSeq = 1, ConversationId = "x", Entries = { new Entry() } } },
        })
        {
            await connection.SendAsync(bad);
            var next = await Server.AcceptAsync();
            await next.SignInAsync();
            connection.Dispose();
            connection = next;
        }

        connection.Dispose();
    }

    [Fact]
    public async Task UnknownPacketsAndAnswersToNobodyAreIgnored()
    {
        var client = NewClient();
        using var connection = await ConnectAsync(client);
        await connection.SendAsync(
            new ServerPacket(),
            new ServerPacket { RequestId = 999, SendAck = new SendAck() },
            new ServerPacket { RequestId = 998, Error = new Error { Code = 100 } },
            new ServerPacket { Error = new Error { Code = 100 } },
            Packets.Inbox(1));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        Assert.Equal(1, await NextSeqAsync(events));
        Assert.Equal(ImClientState.Connected, client.State);
    }

    [Fact]
    public async Task StatesComeInOrder()
    {
        var client = NewClient();
        var states = new List<ImClientState>();
        client.StateChanged += (sender, e) =>
        {
            lock (states)
            {
                states.Add(e.State);
            }

            throw new InvalidOperationException("A handler's mistake is not the client's.");
        };
        var first = await ConnectAsync(client);
        first.Cut();
        using var second = await Server.AcceptAsync();
        await second.SignInAsync();
        await Wait.Until(() => client.State == ImClientState.Connected);
        await client.DisposeAsync();
        Assert.Equal(
            [ImClientState.Connecting, ImClientState.Connected, ImClientState.Reconnecting, ImClientState.Connected, ImClientState.Closed], states);
    }
}
