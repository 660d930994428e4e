using Im.Protocol;

namespace Im.Client.Tests;

public sealed class ConnectTests : ClientTest
{
    [Fact]
    public async Task ANewDeviceSignsInWithItsTokenAndWithoutCursors()
    {
        var client = NewClient(o =>
        {
            o.TokenProvider = _ => ValueTask.FromResult("secret");
            o.DeviceInfo = new DeviceInfo { Type = "test" };
        });
        var connecting = client.ConnectAsync();
        using var connection = await Server.AcceptAsync();
        var signIn = await connection.SignInAsync();
        await connecting.WaitAsync(Wait.Limit);

        Assert.Equal(("secret", "phone", "test", "", 0L), (signIn.Token, signIn.DeviceId, signIn.Device.Type, signIn.Generation, signIn.InboxCursor));
        Assert.Equal((ImClientState.Connected, "alice"), (client.State, client.UserId));
    }

    [Fact]
    public async Task ARefusedTokenIsFinal()
    {
        var client = NewClient();
        var connecting = client.ConnectAsync();
        using var connection = await Server.AcceptAsync();
        await connection.ErrorAsync((await connection.ReadAsync())!.RequestId, ImErrorCode.BadToken);

        var error = await Assert.ThrowsAsync<ImClientException>(() => connecting.WaitAsync(Wait.Limit));
        Assert.Equal((ImClientFailure.Refused, ImErrorCode.BadToken, "bad_token"), (error.Failure, error.Code, error.Reason));
        Assert.Same(error, (await client.Closed.WaitAsync(Wait.Limit)).Error);
        Assert.Equal(ImClientState.Closed, client.State);
        Assert.Same(error, await Assert.ThrowsAsync<ImClientException>(() => Send(client, "late")));
    }

    [Fact]
    public async Task AFinalCloseDuringTheSignInIsFinal()
    {
        var client = NewClient();
        var connecting = client.ConnectAsync();
        using var connection = await Server.AcceptAsync();
        await connection.CloseAsync(ImCloseCode.BadCursor);

        var error = await Assert.ThrowsAsync<ImClientException>(() => connecting.WaitAsync(Wait.Limit));
        Assert.Equal((ImClientFailure.Closed, ImCloseCode.BadCursor), (error.Failure, error.CloseCode));
    }

    [Fact]
    public async Task AnExpiredTokenIsFollowedByANewOne()
    {
        var asked = 0;
        var client = NewClient(o => o.TokenProvider = _ => ValueTask.FromResult($"t{++asked}"));
        var connecting = client.ConnectAsync();
        using (var first = await Server.AcceptAsync())
        {
            var packet = await first.ReadAsync();
            await first.ErrorAsync(packet!.RequestId, ImErrorCode.TokenExpired);
            await first.CloseAsync(ImCloseCode.TokenExpired);
        }

        using var second = await Server.AcceptAsync();
        Assert.Equal("t2", (await second.SignInAsync()).Token);
        await connecting.WaitAsync(Wait.Limit);
        await second.CloseAsync(ImCloseCode.TokenExpired);
        using var third = await Server.AcceptAsync();
        Assert.Equal("t3", (await third.SignInAsync()).Token);
    }

    [Fact]
    public async Task ConnectWaitsForAServerThatComesLater()
    {
        var uri = Server.Uri;
        Server.Leave();
        var client = NewClient(o => o.Server = uri);
        var lost = new TaskCompletionSource();
        client.StateChanged += (_, e) =>
        {
            if (e.Error is not null)
            {
                lost.TrySetResult();
            }
        };
        using var stopWaiting = new CancellationTokenSource();
        var connecting = client.ConnectAsync(stopWaiting.Token);
        await lost.Task.WaitAsync(Wait.Limit);
        await stopWaiting.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
        Assert.Equal(ImClientState.Connecting, client.State);
    }

    [Fact]
    public async Task AProviderThatFailsIsAskedAgain()
    {
        var asked = 0;
        var client = NewClient(o => o.TokenProvider = _ =>
            ++asked == 1 ? throw new HttpRequestException("no network") : ValueTask.FromResult("t"));
        using var connection = await ConnectAsync(client);
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task AnAccountSwitchDoesNotUseTheOldUsersCursors()
    {
        var store = new MemoryCursorStore();
        await store.SaveAsync(new ImCursors { UserId = "bob", Generation = "g1", InboxSeq = 7 }, default);
        var client = NewClient(o => o.CursorStore = store);
        var connecting = client.ConnectAsync();
        using (var first = await Server.AcceptAsync())
        {
            Assert.Equal(7, (await first.SignInAsync()).InboxCursor);
        }

        using var second = await Server.AcceptAsync();
        var signIn = await second.SignInAsync(s => s.Reset = true);
        Assert.Equal(("", 0L), (signIn.Generation, signIn.InboxCursor));
        await connecting.WaitAsync(Wait.Limit);
    }

    [Fact]
    public async Task AServerThatIsGoneIsFollowedByTheNextOne()
    {
        // Nobody listens on port 1.
        var client = NewClient(o => (o.Server, o.MoreServers) = (new Uri("tcp://127.0.0.1:1"), [o.Server]));
        var connecting = client.ConnectAsync();
        using var connection = await Server.AcceptAsync();
        await connection.SignInAsync();
        await connecting.WaitAsync(Wait.Limit);
        Assert.Equal(ImClientState.Connected, client.State);
    }

    [Fact]
    public void OptionsReportAllMistakesAtOnce()
    {
        var error = Assert.Throws<ArgumentException>(() => new ImClient(
            new ImClientOptions { Server = new Uri("http://x"), DeviceId = "", MaxInFlight = 0, RequestTimeout = TimeSpan.Zero }));
        Assert.Contains("Server must be tcp://host:port", error.Message);
        Assert.Contains("DeviceId must be 1 to 64 bytes", error.Message);
        Assert.Contains("MaxInFlight must be at least 1", error.Message);
        Assert.Contains("RequestTimeout must be more than zero", error.Message);
        error = Assert.Throws<ArgumentException>(() => new ImClient(new ImClientOptions { Server = new Uri("tcp://x"), DeviceId = "d" }));
        Assert.Contains("tcp://x:9000", error.Message);
        error = Assert.Throws<ArgumentException>(() => new ImClient(
            new ImClientOptions { Server = new Uri("tcp://x:1"), MoreServers = [new Uri("http://y")], DeviceId = "d" }));
        Assert.Contains("MoreServers must be tcp://host:port", error.Message);
    }

    [Fact]
    public void DefaultsAreTheDocumentedOnes()
    {
        var o = new ImClientOptions { Server = new Uri("tcp://x:1"), DeviceId = "d" };
        Assert.Equal((500, 30_000, 15_000, 30_000), (Ms(o.ReconnectMinDelay), Ms(o.ReconnectMaxDelay), Ms(o.ConnectTimeout), Ms(o.RequestTimeout)));
        Assert.Equal((20_000, 10_000, 1000), (Ms(o.PingInterval), Ms(o.PingTimeout), Ms(o.CursorSaveInterval)));
        Assert.Equal((256, 1024, 4 << 20, 100), (o.MaxInFlight, o.EventBufferSize, o.MaxPacketBytes, o.CursorSaveEntries));

        static int Ms(TimeSpan time) => (int)time.TotalMilliseconds;
    }
}
