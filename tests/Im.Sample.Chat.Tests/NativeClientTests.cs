using System.Text.Json;
using Im.BrowserTests;
using Im.Client;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Im.Sample.Chat.Tests;

/// <summary>A native client over TCP and a browser in one conversation.</summary>
public sealed class NativeClientTests(Browser browser, SharedChatApp shared) : IClassFixture<Browser>, IClassFixture<SharedChatApp>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact(Timeout = 90_000)]
    public async Task ATcpClientSignsInWithATokenAndTalksToABrowser()
    {
        var app = shared.App;
        var ada = await ChatPage.RegisterAsync(await browser.NewProfileAsync(), app.Url, "ada", "Ada Lindqvist");
        var ben = await browser.NewProfileAsync();
        var benId = await Register(ben, app.Url, "ben");
        await using var client = new ImClient(new ImClientOptions
        {
            Server = new Uri($"tcp://127.0.0.1:{app.TcpPort}"),
            DeviceId = "native",
            TokenProvider = async _ => await Token(ben, app.Url),
        });
        await client.ConnectAsync().WaitAsync(Patience);
        Assert.Equal(benId, client.UserId);

        await ada.LookAroundAsync();
        await ada.OpenConversationAsync("ben");
        await Expect(ada.Page.Locator("#title .state")).ToHaveTextAsync("online");
        await ada.SendAsync("Hello over TCP");
        var adaId = await Receive(client, "Hello over TCP");
        await client.SendTextAsync(ImTarget.User(adaId), "Hello from TCP").WaitAsync(Patience);
        await ada.SeesAsync("Hello from TCP");
        ada.HasNoErrors();
        await ada.Profile.CloseAsync();
        await ben.CloseAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task ATokenThatTheSampleDidNotMakeIsRefused()
    {
        var app = shared.App;
        await using var client = new ImClient(new ImClientOptions
        {
            Server = new Uri($"tcp://127.0.0.1:{app.TcpPort}"),
            DeviceId = "native",
            TokenProvider = _ => ValueTask.FromResult("made-up"),
        });
        var refused = await Assert.ThrowsAsync<ImClientException>(() => client.ConnectAsync().WaitAsync(Patience));
        Assert.Contains("token", refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<string> Receive(ImClient client, string text)
    {
        using var deadline = new CancellationTokenSource(Patience);
        await foreach (var item in client.ReadAsync(deadline.Token))
        {
            if (item is ImEntryEvent { Entry: { Content: { } content } entry } && content.Text == text)
            {
                return entry.SenderId;
            }
        }

        throw new InvalidOperationException("The client ended before the message came.");
    }

    private static async Task<string> Register(IBrowserContext profile, string url, string name)
    {
        var answer = await profile.APIRequest.PostAsync(
            url + "/api/register", new() { DataObject = new { name, password = "correct horse battery" } });
        return (await answer.JsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }

    private static async Task<string> Token(IBrowserContext profile, string url)
    {
        var answer = await profile.APIRequest.PostAsync(url + "/api/token", new() { DataObject = new { } });
        return (await answer.JsonAsync<JsonElement>()).GetProperty("token").GetString()!;
    }
}
