using System.Net.WebSockets;
using Im.Protocol;

namespace Im.Client.Tests;

public sealed class WebSocketTests : ClientTest
{
    public WebSocketTests()
    {
        Server.Dispose();
        Server = new FakeServer(webSocket: true);
    }

    [Fact]
    public async Task AWebSocketCarriesTheSame()
    {
        var client = NewClient(o => o.ConfigureWebSocket = w => w.SetRequestHeader("Cookie", "session=1"));
        using var first = await ConnectAsync(client);
        Assert.Contains("GET /im", Server.HttpRequest);
        Assert.Contains("Cookie: session=1", Server.HttpRequest);
        Assert.Contains("im.v1.protobuf", Server.HttpRequest);

        var sends = Enumerable.Range(0, 3).Select(i => Send(client, $"m{i}")).ToArray();
        for (var i = 0; i < 3; i++)
        {
            await first.AckAsync((await first.ReadSendAsync()).RequestId, i);
        }

        await Task.WhenAll(sends).WaitAsync(Wait.Limit);
        var push = Packets.Inbox(1, 3);
        push.Push.Entries[0].Content.Text = new string('x', 100_000);
        await first.SendAsync(push);
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        Assert.Equal(100_000, Assert.IsType<ImEntryEvent>(await NextAsync(events)).Entry.Content.Text.Length);

        first.Cut();
        using var second = await Server.AcceptAsync();
        Assert.Equal(3, (await second.SignInAsync()).InboxCursor);
        await Wait.Until(() => client.State == ImClientState.Connected);
        await client.DisposeAsync();
        await second.AssertClosedAsync();
        Assert.Equal(WebSocketCloseStatus.NormalClosure, second.ReceivedCloseStatus);
    }

    [Fact]
    public async Task ACloseFramesCodeIsObeyed()
    {
        var client = NewClient();
        using var connection = await ConnectAsync(client);
        await connection.CloseFrameAsync((WebSocketCloseStatus)(int)ImCloseCode.Replaced);
        Assert.Equal(ImCloseCode.Replaced, (await client.Closed.WaitAsync(Wait.Limit)).Code);
    }

    [Fact]
    public async Task AnEndpointThatRefusesTheUserIsFinal()
    {
        var client = NewClient();
        var connecting = client.ConnectAsync();
        await Server.AnswerHttpAsync(401);
        var error = await Assert.ThrowsAsync<ImClientException>(() => connecting.WaitAsync(Wait.Limit));
        Assert.Equal(ImErrorCode.BadToken, error.Code);
    }

    [Fact]
    public async Task AnEndpointThatIsNotReadyIsTriedAgain()
    {
        var client = NewClient();
        var connecting = client.ConnectAsync();
        await Server.AnswerHttpAsync(503);
        using var connection = await Server.AcceptAsync();
        await connection.SignInAsync();
        await connecting.WaitAsync(Wait.Limit);
    }

    [Fact]
    public async Task ATextMessageEndsTheConnection()
    {
        var client = NewClient();
        using var first = await ConnectAsync(client);
        await first.SendTextAsync("{}");
        using var second = await Server.AcceptAsync();
        await second.SignInAsync();
    }
}
