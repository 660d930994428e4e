using System.Collections.Concurrent;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Im.Sample.Chat.Tests;

/// <summary>The page as a user works with it.</summary>
internal sealed class ChatPage
{
    private const float Patience = 15_000;

    private readonly string _url;

    private ChatPage(IBrowserContext profile, IPage page, string url)
    {
        Profile = profile;
        Page = page;
        _url = url;
        page.SetDefaultTimeout(Patience);
        page.PageError += (_, error) => Errors.Enqueue(error);
        page.Console += (_, message) =>
        {
            // A server that is down is what some tests want; a blocked resource or a broken script never is.
            if (message.Type == "error" && (message.Text.Contains("Content Security Policy") || message.Text.Contains("Uncaught")))
            {
                Errors.Enqueue(message.Text);
            }
        };
    }

    public IBrowserContext Profile { get; }

    public IPage Page { get; }

    public ConcurrentQueue<string> Errors { get; } = new();

    public ILocator Banner => Page.Locator("#banner");

    public ILocator Messages => Page.Locator("#entries .message");

    public static async Task<ChatPage> OpenAsync(IBrowserContext profile, string url)
    {
        var chat = new ChatPage(profile, await profile.NewPageAsync(), url);
        await chat.Page.GotoAsync(url);
        return chat;
    }

    /// <summary>A new profile with a new user in it.</summary>
    public static async Task<ChatPage> RegisterAsync(IBrowserContext profile, string url, string name, string displayName)
    {
        var chat = await OpenAsync(profile, url);
        await chat.Page.Locator("#name").FillAsync(name);
        await chat.Page.Locator("#display").FillAsync(displayName);
        await chat.Page.Locator("#password").FillAsync("correct horse battery");
        await chat.Page.Locator("#account-submit").ClickAsync();
        await chat.IsReadyAsync();
        return chat;
    }

    /// <summary>A user who exists, on another device.</summary>
    public static async Task<ChatPage> SignInAsync(IBrowserContext profile, string url, string name)
    {
        var chat = await OpenAsync(profile, url);
        await chat.Page.Locator("#account-switch").ClickAsync();
        await chat.Page.Locator("#name").FillAsync(name);
        await chat.Page.Locator("#password").FillAsync("correct horse battery");
        await chat.Page.Locator("#account-submit").ClickAsync();
        await chat.IsReadyAsync();
        return chat;
    }

    /// <summary>The same user and device in a new tab.</summary>
    public async Task<ChatPage> ReopenAsync()
    {
        var chat = await OpenAsync(Profile, _url);
        await chat.IsReadyAsync();
        return chat;
    }

    public ILocator Row(string title) =>
        Page.Locator(".row", new PageLocatorOptions { Has = Page.Locator(".name", new PageLocatorOptions { HasText = title }) });

    public ILocator Badge(string title) => Row(title).Locator(".badge");

    public ILocator Message(string text) => Page.Locator("#entries .message", new PageLocatorOptions { HasText = text });

    public async Task OpenConversationAsync(string title)
    {
        await Row(title).First.ClickAsync(new LocatorClickOptions { Timeout = Patience });
        await Expect(Page.Locator("#title .name")).ToHaveTextAsync(title, new() { Timeout = Patience });
    }

    public async Task SendAsync(string text)
    {
        await Page.Locator("#text").FillAsync(text);
        await Page.Locator("#text").PressAsync("Enter");
        await SeesAsync(text);
    }

    public Task SeesAsync(string text) => Expect(Message(text).Last).ToBeVisibleAsync(new() { Timeout = Patience });

    /// <summary>The message is stored: its mark is no longer the clock.</summary>
    public Task SeesSentAsync(string text) =>
        Expect(Message(text).Last).ToHaveAttributeAsync("data-state", "sent", new() { Timeout = 30_000 });

    /// <summary>The list of people as it is now; the page asks for it every few seconds and whenever its window gets the focus.</summary>
    public Task LookAroundAsync() => Page.EvaluateAsync("window.dispatchEvent(new Event('focus'))");

    public Task ScreenshotAsync(string name) => Page.ScreenshotAsync(new PageScreenshotOptions
    {
        Path = Path.Combine(TestPaths.Artifacts, name + ".png"),
        Animations = ScreenshotAnimations.Disabled,
    });

    public void HasNoErrors() => Assert.Empty(Errors);

    private async Task IsReadyAsync()
    {
        await Expect(Page.Locator("#chat")).ToBeVisibleAsync(new() { Timeout = Patience });
        await Expect(Page.Locator("html")).ToHaveAttributeAsync("data-connection", "connected", new() { Timeout = Patience });
    }
}
