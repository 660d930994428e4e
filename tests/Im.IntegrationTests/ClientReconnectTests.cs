using Im.Client;
using Im.IntegrationTests.Support;
using Im.LocalServers;
using Im.Protocol;

namespace Im.IntegrationTests;

/// <summary>The C# client and the real server: when connections end.</summary>
public sealed class ClientReconnectTests
{
    [Theory]
    [InlineData("tcp")]
    [InlineData("ws")]
    public async Task ADrainedServersClientsComeBackToItsSuccessorAndResendWhatWasNotAcked(string transport)
    {
        using var tcpPort = new LoopbackPort();
        using var httpPort = new LoopbackPort();
        var server = await TestServer.StartAsync(tcpPort: tcpPort.Number, httpPort: httpPort.Number);
        await using var alice = await TestDevice.ConnectAsync(server, transport, "alice");
        await using var bob = await TestDevice.ConnectAsync(server, transport, "bob");
        var old = await alice.NextAsync<ImResetEvent>();
        await bob.NextAsync<ImResetEvent>();
        await alice.SendAsync(ImTarget.User("bob"), "lost with the store");
        await alice.NextTextsAsync(1);
        await bob.NextTextsAsync(1);
        await server.DisposeAsync();
        await TestDevice.UntilAsync(() => alice.Client.State == ImClientState.Reconnecting && bob.Client.State == ImClientState.Reconnecting);
        Assert.Contains(alice.Logged, line => line.StartsWith("9002 ", StringComparison.Ordinal) && line.Contains("shutting down", StringComparison.OrdinalIgnoreCase));
        var sending = Enumerable.Range(0, 5).Select(i => alice.SendAsync(ImTarget.User("bob"), $"{i}")).ToArray();

        await using var successor = await TestServer.StartAsync(tcpPort: tcpPort.Number, httpPort: httpPort.Number);
        var acks = await Task.WhenAll(sending);
        Assert.Equal([1L, 2, 3, 4, 5], acks.Select(a => a.ConversationSeq));
        var reset = await alice.NextAsync<ImResetEvent>();
        Assert.NotEqual(old.Generation, reset.Generation);

        // Bob's reset may hold some of them already.
        var begins = (int)(await bob.NextAsync<ImResetEvent>()).InboxSeq;
        Assert.Equal(Enumerable.Range(begins, 5 - begins).Select(i => $"{i}"), await bob.NextTextsAsync(5 - begins));
        Assert.Equal(2, bob.SignIns);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("ws")]
    public async Task WhoIsDisconnectedByTheHostStaysAway(string transport)
    {
        await using var server = await TestServer.StartAsync();
        await using var bob = await TestDevice.ConnectAsync(server, transport, "bob");
        await bob.NextAsync<ImResetEvent>();
        Assert.Equal(1, await server.Im.Sessions.DisconnectAsync("bob", reason: "house rules"));
        var closed = await bob.Client.Closed.WaitAsync(TestDevice.Limit);
        Assert.Equal((ImCloseCode.Disconnected, "house rules"), (closed.Code, closed.Reason));
        var error = await Assert.ThrowsAsync<ImClientException>(() => bob.NextAsync<ImEvent>());
        Assert.Equal(ImCloseCode.Disconnected, error.CloseCode);
        await Assert.ThrowsAsync<ImClientException>(() => bob.SendAsync(ImTarget.User("alice"), "still here?"));
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("ws")]
    public async Task TheSameDeviceOnAnotherConnectionReplacesTheFirstForGood(string transport)
    {
        await using var server = await TestServer.StartAsync();
        await using var first = await TestDevice.ConnectAsync(server, transport, "bob");
        await using var second = await TestDevice.ConnectAsync(server, transport, "bob");
        var closed = await first.Client.Closed.WaitAsync(TestDevice.Limit);
        Assert.Equal(ImCloseCode.Replaced, closed.Code);
        await second.SendAsync(ImTarget.User("alice"), "mine");
        Assert.Equal(1, second.SignIns);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("ws")]
    public async Task AServerThatRefusesTheTokenIsNotAskedAgain(string transport)
    {
        await using var server = await TestServer.StartAsync();
        var error = await Assert.ThrowsAsync<ImClientException>(() => TestDevice.ConnectAsync(server, transport, "bad", read: false));
        Assert.Equal(ImErrorCode.BadToken, error.Code);
    }
}
