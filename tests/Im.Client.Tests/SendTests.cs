using Im.Protocol;

namespace Im.Client.Tests;

public sealed class SendTests : ClientTest
{
    [Fact]
    public async Task ASendCompletesWithItsAck()
    {
        var client = NewClient();
        using var connection = await ConnectAsync(client);
        var sending = client.SendTextAsync(ImTarget.Conversation("g:1"), "hi");
        var (requestId, send) = await connection.ReadSendAsync();
        Assert.Equal(("g:1", "text", "hi", 32), (send.ConversationId, send.Content.ContentType, send.Content.Text, send.ClientMessageId.Length));
        await connection.AckAsync(requestId, 5, SendResult.Duplicate);
        Assert.Equal(
            new ImSendAck(SendResult.Duplicate, "d", 5, DateTimeOffset.FromUnixTimeMilliseconds(1005), send.ClientMessageId),
            await sending.WaitAsync(Wait.Limit));
    }

    [Fact]
    public async Task AcksMayComeInAnyOrder()
    {
        var client = NewClient();
        using var connection = await ConnectAsync(client);
        var sends = Enumerable.Range(0, 10).Select(i => Send(client, $"m{i}")).ToArray();
        var seen = new List<(uint RequestId, Send Send)>();
        for (var i = 0; i < 10; i++)
        {
            seen.Add(await connection.ReadSendAsync());
        }

        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"m{i}"), seen.Select(s => s.Send.ClientMessageId));
        for (var i = 9; i >= 0; i--)
        {
            await connection.AckAsync(seen[i].RequestId, i + 1);
        }

        var acks = await Task.WhenAll(sends).WaitAsync(Wait.Limit);
        Assert.Equal(Enumerable.Range(1, 10).Select(i => (long)i), acks.Select(a => a.ConversationSeq));
    }

    [Fact]
    public async Task AfterACutTheUnackedAreResentInOrderUnderTheSameIdsBeforeNewerOnes()
    {
        var client = NewClient();
        var first = await ConnectAsync(client);
        var sends = Enumerable.Range(0, 5).Select(i => Send(client, $"m{i}")).ToList();
        for (var i = 0; i < 5; i++)
        {
            var (requestId, _) = await first.ReadSendAsync();
            if (i == 2)
            {
                await first.AckAsync(requestId, 1);
            }
        }

        await sends[2].WaitAsync(Wait.Limit);
        first.Cut();
        await Wait.Until(() => client.State == ImClientState.Reconnecting);
        sends.Add(Send(client, "m5"));

        using var second = await Server.AcceptAsync();
        await second.SignInAsync();
        foreach (var id in new[] { "m0", "m1", "m3", "m4", "m5" })
        {
            var (requestId, send) = await second.ReadSendAsync();
            Assert.Equal(id, send.ClientMessageId);
            await second.AckAsync(requestId, 9);
        }

        await Task.WhenAll(sends).WaitAsync(Wait.Limit);
    }

    [Fact]
    public async Task SendsBeforeTheConnectionGoOutInOrder()
    {
        var client = NewClient(o => o.MaxInFlight = 2);
        var sends = Enumerable.Range(0, 6).Select(i => Send(client, $"m{i}")).ToArray();
        using var connection = await ConnectAsync(client);
        for (var i = 0; i < 6; i++)
        {
            var (requestId, send) = await connection.ReadSendAsync();
            Assert.Equal($"m{i}", send.ClientMessageId);
            await connection.AckAsync(requestId, i);
        }

        await Task.WhenAll(sends).WaitAsync(Wait.Limit);
    }

    [Fact]
    public async Task NoMoreThanMaxInFlightAreWithoutAnAnswer()
    {
        var client = NewClient(o => o.MaxInFlight = 2);
        using var connection = await ConnectAsync(client);
        var sends = Enumerable.Range(0, 3).Select(i => Send(client, $"m{i}")).ToArray();
        var (one, _) = await connection.ReadSendAsync();
        var (two, _) = await connection.ReadSendAsync();

        // A request would follow at once if the third send were written.
        var third = connection.ReadSendAsync();
        await connection.AckAsync(two, 2);
        Assert.Equal("m2", (await third).Send.ClientMessageId);
        Assert.True(sends[1].IsCompleted || await Task.WhenAny(sends[1], Task.Delay(Wait.Limit)) == sends[1]);
        await connection.AckAsync(one, 1);
        await connection.AckAsync((await third).RequestId, 3);
        await Task.WhenAll(sends).WaitAsync(Wait.Limit);
    }

    [Fact]
    public async Task ARefusalThrowsWithItsCodeAndTheMessageId()
    {
        var client = NewClient();
        using var connection = await ConnectAsync(client);
        var sending = Send(client, "m");
        await connection.ErrorAsync((await connection.ReadSendAsync()).RequestId, ImErrorCode.NotAMember);
        var error = await Assert.ThrowsAsync<ImClientException>(() => sending.WaitAsync(Wait.Limit));
        Assert.Equal((ImErrorCode.NotAMember, "not_a_member", "no", "m"), (error.Code, error.Reason, error.Message, error.ClientMessageId));
    }

    [Theory]
    [InlineData(ImErrorCode.StorageUnavailable)]
    [InlineData(ImErrorCode.RateLimited)]
    [InlineData(ImErrorCode.Internal)]
    [InlineData(ImErrorCode.ShuttingDown)]
    public async Task TryAgainLaterIsTriedAgainUnderTheSameIdAndHoldsBackNewerSends(ImErrorCode code)
    {
        var time = new FakeTime();
        var client = NewClient(o => o.TimeProvider = time);
        using var connection = await ConnectAsync(client);
        var first = Send(client, "m1");
        await connection.ErrorAsync((await connection.ReadSendAsync()).RequestId, code);
        await Wait.Until(() => time.Waiting().Contains(TimeSpan.FromMilliseconds(200)));
        var second = Send(client, "m2");
        time.Advance(TimeSpan.FromMilliseconds(200));
        foreach (var id in new[] { "m1", "m2" })
        {
            var (requestId, send) = await connection.ReadSendAsync();
            Assert.Equal(id, send.ClientMessageId);
            await connection.AckAsync(requestId, 1);
        }

        await Task.WhenAll(first, second).WaitAsync(Wait.Limit);
    }

    [Fact]
    public async Task TryAgainLaterEndsWithTheRequestTimeout()
    {
        var client = NewClient(o => o.RequestTimeout = TimeSpan.FromMilliseconds(100));
        using var connection = await ConnectAsync(client);
        var sending = Send(client, "m");
        await connection.ErrorAsync((await connection.ReadSendAsync()).RequestId, ImErrorCode.StorageUnavailable);
        var error = await Assert.ThrowsAsync<ImClientException>(() => sending.WaitAsync(Wait.Limit));
        Assert.Equal(ImErrorCode.StorageUnavailable, error.Code);
    }

    [Fact]
    public async Task ANonPersistentMessageIsNeverResent()
    {
        var client = NewClient();
        var first = await ConnectAsync(client);
        var sending = Send(client, "typing", nonPersistent: true);
        Assert.True((await first.ReadSendAsync()).Send.NonPersistent);
        first.Cut();
        var error = await Assert.ThrowsAsync<ImClientException>(() => sending.WaitAsync(Wait.Limit));
        Assert.Equal((ImClientFailure.Disconnected, "typing"), (error.Failure, error.ClientMessageId));
        await Assert.ThrowsAsync<ImClientException>(() => Send(client, "offline", nonPersistent: true).WaitAsync(Wait.Limit));
    }

    [Fact]
    public async Task ACancelledSendThatWasNotWrittenIsNotSent()
    {
        var client = NewClient();
        using var cancel = new CancellationTokenSource();
        var cancelled = Send(client, "m1", ct: cancel.Token);
        var kept = Send(client, "m2");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Wait.Limit));
        using var connection = await ConnectAsync(client);
        var (requestId, send) = await connection.ReadSendAsync();
        Assert.Equal("m2", send.ClientMessageId);
        await connection.AckAsync(requestId, 1);
        await kept.WaitAsync(Wait.Limit);
    }

    [Fact]
    public async Task AMessageThatTheServerWouldCloseForIsRefusedLocally()
    {
        var client = NewClient();
        using var connection = await ConnectAsync(client, s => s.MaxFrameBytes = 1000);
        var error = await Assert.ThrowsAsync<ImClientException>(
            () => client.SendTextAsync(ImTarget.User("bob"), new string('x', 2000)).WaitAsync(Wait.Limit));
        Assert.Equal(ImErrorCode.BodyTooLarge, error.Code);
    }

    [Fact]
    public async Task ARequestWaitsForTheNextConnectionUpToItsTimeout()
    {
        var client = NewClient();
        var first = await ConnectAsync(client);
        var marking = client.MarkReadAsync("d", 4);
        Assert.Equal(4, (await first.ReadAsync())!.MarkRead.ConversationSeq);
        first.Cut();
        using var second = await Server.AcceptAsync();
        await second.SignInAsync();
        var again = await second.ReadAsync();
        await second.SendAsync(new ServerPacket { RequestId = again!.RequestId, MarkedRead = new MarkedRead { ConversationId = "d", ConversationSeq = 6 } });
        Assert.Equal(6, await marking.WaitAsync(Wait.Limit));

        var impatient = NewClient(o => o.RequestTimeout = TimeSpan.FromMilliseconds(50));
        var error = await Assert.ThrowsAsync<ImClientException>(() => impatient.MarkReadAsync("d", 1).WaitAsync(Wait.Limit));
        Assert.Equal(ImClientFailure.TimedOut, error.Failure);
    }

    [Fact]
    public async Task HistoryAndTokenRequestsGetTheirAnswers()
    {
        var client = NewClient(o => o.TokenProvider = _ => ValueTask.FromResult("t"));
        using var connection = await ConnectAsync(client);
        var history = client.SyncBeforeAsync("d", 0, 10, 1000);
        var packet = await connection.ReadAsync();
        Assert.Equal(SyncConversation.PositionOneofCase.BeforeConversationSeq, packet!.Sync.Conversation.PositionCase);
        Assert.Equal((10, 1000), (packet.Sync.MaxEntries, packet.Sync.MaxBytes));
        await connection.SendAsync(new ServerPacket
        {
            RequestId = packet.RequestId,
            SyncPage = new SyncPage { ConversationId = "d", Entries = { Packets.Text("d", 1) }, Head = 1, Floor = 1 },
        });
        Assert.Single((await history.WaitAsync(Wait.Limit)).Entries);

        var refreshing = client.RefreshTokenAsync();
        packet = await connection.ReadAsync();
        Assert.Equal("t", packet!.RefreshToken.Token);
        await connection.SendAsync(new ServerPacket { RequestId = packet.RequestId, TokenRefreshed = new TokenRefreshed { TokenExpiresAtMs = 5000 } });
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(5000), await refreshing.WaitAsync(Wait.Limit));
    }
}
