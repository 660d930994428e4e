using Im.BrowserTests;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Im.Sample.Chat.Tests;

/// <summary>The sample as its users meet it: a real server process, a real Chromium.</summary>
public sealed class ChatTests(Browser browser) : IClassFixture<Browser>, IAsyncLifetime
{
    private readonly ChatApp _app = new();
    private readonly List<ChatPage> _pages = [];

    public Task InitializeAsync() => _app.StartAsync();

    public async Task DisposeAsync()
    {
        foreach (var page in _pages)
        {
            await page.Profile.CloseAsync().WaitAsync(TimeSpan.FromSeconds(10));
        }

        await _app.DisposeAsync();
    }

    [Fact(Timeout = 90_000)]
    public async Task TwoUsersChatBothWaysAndWhoClosedTheTabReceivesAfterwards()
    {
        var (ada, ben) = await AdaAndBen();
        await ada.OpenConversationAsync("Ben Okafor");
        await ada.SendAsync("Hello Ben, are you there?");
        await ada.SeesSentAsync("Hello Ben");

        await Expect(ben.Badge("Ada Lindqvist")).ToHaveTextAsync("1");
        await ben.OpenConversationAsync("Ada Lindqvist");
        await ben.SeesAsync("Hello Ben, are you there?");
        await Expect(ben.Badge("Ada Lindqvist")).ToHaveCountAsync(0);
        await ben.SendAsync("I am. 😀");
        await ada.SeesAsync("I am.");

        await ben.Page.CloseAsync();
        await ada.SendAsync("One for later");
        await ada.SendAsync("And another one");
        await ada.SeesSentAsync("And another one");

        var again = await ben.ReopenAsync();
        await Expect(again.Badge("Ada Lindqvist")).ToHaveTextAsync("2");
        await again.OpenConversationAsync("Ada Lindqvist");
        await again.SeesAsync("One for later");
        await again.SeesAsync("And another one");
        await Expect(again.Messages).ToHaveCountAsync(4);
        HaveNoErrors(ada, ben, again);
    }

    [Fact(Timeout = 90_000)]
    public async Task APictureIsShownInlineAndAnythingElseIsRefusedWithAReason()
    {
        var (ada, ben) = await AdaAndBen();
        await ben.OpenConversationAsync("Ada Lindqvist");
        await ada.OpenConversationAsync("Ben Okafor");
        await ada.Page.Locator("#file").SetInputFilesAsync(
            new FilePayload { Name = "hills.png", MimeType = "image/png", Buffer = Png.Gradient(640, 400) });
        await ada.SeesSentAsync("");

        var image = ben.Page.Locator("#entries img");
        await Expect(image).ToHaveAttributeAsync("src", new System.Text.RegularExpressions.Regex("^/pictures/[0-9a-f]{64}$"));
        Assert.Equal(640, await image.EvaluateAsync<int>("async i => { await i.decode(); return i.naturalWidth; }"));

        // A page that calls itself a picture: the bytes decide.
        await ada.Page.Locator("#file").SetInputFilesAsync(
            new FilePayload { Name = "page.png", MimeType = "image/png", Buffer = "<html><script>alert(1)</script>"u8.ToArray() });
        await Expect(ada.Page.Locator("#toast")).ToContainTextAsync("Only PNG, JPEG, GIF and WebP");
        await Expect(ada.Messages).ToHaveCountAsync(1);

        // Nobody sees it without signing in.
        using var stranger = new HttpClient { BaseAddress = new Uri(_app.Url), Timeout = TimeSpan.FromSeconds(10) };
        using var answer = await stranger.GetAsync(await image.GetAttributeAsync("src"));
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, answer.StatusCode);
        HaveNoErrors(ada, ben);
    }

    [Fact(Timeout = 90_000)]
    public async Task AGroupIsMadeTalksGrowsAndIsLeft()
    {
        var (ada, ben) = await AdaAndBen();
        var cleo = await Register("cleo", "Cleo Marchetti");
        await ada.LookAroundAsync();
        await Expect(ada.Row("Cleo Marchetti")).ToBeVisibleAsync(new() { Timeout = 15_000 });
        await ada.Page.Locator("#new-group").ClickAsync();
        await ada.Page.Locator("dialog input[name=name]").FillAsync("Harbour walk");
        await ada.Page.Locator("dialog .choice", new() { HasText = "Ben Okafor" }).ClickAsync();
        await ada.Page.Locator("dialog button.primary").ClickAsync();
        await Expect(ada.Page.Locator("#title .name")).ToHaveTextAsync("Harbour walk");

        await ada.SendAsync("Saturday at ten?");
        await Expect(ben.Badge("Harbour walk")).ToHaveTextAsync("1");
        await ben.OpenConversationAsync("Harbour walk");
        await ben.SendAsync("Count me in 👍");
        await ada.SeesAsync("Count me in");

        await ada.Page.Locator("#members").ClickAsync();
        await ada.Page.Locator("dialog button.primary").ClickAsync();
        await ada.Page.Locator("dialog .choice", new() { HasText = "Cleo Marchetti" }).ClickAsync();
        await ada.Page.Locator("dialog button.primary").ClickAsync();
        await cleo.OpenConversationAsync("Harbour walk");
        await Expect(cleo.Page.Locator("#title .state")).ToHaveTextAsync("3 members");
        await cleo.SendAsync("Hi all, what did I miss?");
        await ben.SeesAsync("what did I miss");

        // History begins with the join.
        await Expect(cleo.Message("Saturday at ten?")).ToHaveCountAsync(0);

        await ben.Page.Locator("#members").ClickAsync();
        await ben.Page.Locator("dialog button.danger").ClickAsync();
        await Expect(ben.Page.Locator("#closed")).ToBeVisibleAsync();
        await ada.SendAsync("Ben has left us");
        await cleo.SeesAsync("Ben has left us");
        await Expect(ben.Message("Ben has left us")).ToHaveCountAsync(0);
        HaveNoErrors(ada, ben, cleo);
    }

    [Fact(Timeout = 120_000)]
    public async Task EarlierMessagesComeByScrollingUpEachOnceAndInOrder()
    {
        const int Count = 130;
        var (ada, ben) = await AdaAndBen();
        await ada.OpenConversationAsync("Ben Okafor");

        // All at once: so many keys one by one take most of a minute, and other tests press them.
        await ada.Page.EvaluateAsync(
            """
            count => {
              for (let i = 1; i <= count; i++) {
                document.querySelector("#text").value = `Line ${String(i).padStart(3, "0")}`;
                document.querySelector("#composer").requestSubmit();
              }
            }
            """,
            Count);
        await ada.SeesSentAsync($"Line {Count:000}");
        await Expect(ben.Badge("Ada Lindqvist")).ToHaveTextAsync("99+", new() { Timeout = 15_000 });

        var again = await ben.ReopenAsync();
        await again.OpenConversationAsync("Ada Lindqvist");
        await again.SeesAsync($"Line {Count:000}");
        Assert.True(await again.Messages.CountAsync() < Count, "The first page alone should not hold everything.");
        var deadline = DateTime.UtcNow.AddSeconds(30);
        while (await again.Messages.CountAsync() < Count && DateTime.UtcNow < deadline)
        {
            await again.Page.Locator("#messages").EvaluateAsync("box => { box.scrollTop = 0; }");
            await Task.Delay(50);
        }

        var texts = await again.Messages.Locator(".bubble").EvaluateAllAsync<string[]>("all => all.map(b => b.firstChild.textContent)");
        Assert.Equal(Enumerable.Range(1, Count).Select(i => $"Line {i:000}"), texts);
        await Expect(again.Page.Locator("#older")).ToContainTextAsync("begins");
        HaveNoErrors(ada, again);
    }

    [Fact(Timeout = 120_000)]
    public async Task AReadMarkOfOneDeviceClearsTheBadgeOfTheOther()
    {
        var (ada, ben) = await AdaAndBen();
        var phone = await SignInAgain("ben", 390, 844);
        await ada.OpenConversationAsync("Ben Okafor");
        await ada.SendAsync("First");
        await ada.SendAsync("Second");
        await Expect(ben.Badge("Ada Lindqvist")).ToHaveTextAsync("2");
        await Expect(phone.Badge("Ada Lindqvist")).ToHaveTextAsync("2");
        await ben.OpenConversationAsync("Ada Lindqvist");
        await Expect(phone.Badge("Ada Lindqvist")).ToHaveCountAsync(0);

        // Own messages reach the other device and never count.
        await ben.SendAsync("Third");
        await Expect(phone.Row("Ada Lindqvist")).ToContainTextAsync("You: Third");
        await Expect(phone.Badge("Ada Lindqvist")).ToHaveCountAsync(0);
        HaveNoErrors(ada, ben, phone);
    }

    [Fact(Timeout = 150_000)]
    public async Task AfterAServerRestartThePageReconnectsShowsWhatTheStoreHoldsAndResendsWhatWasNotAcked()
    {
        var (ada, ben) = await AdaAndBen();
        await ada.Page.Locator("#new-group").ClickAsync();
        await ada.Page.Locator("dialog input[name=name]").FillAsync("Night shift");
        await ada.Page.Locator("dialog .choice", new() { HasText = "Ben Okafor" }).ClickAsync();
        await ada.Page.Locator("dialog button.primary").ClickAsync();
        await ada.SendAsync("Before the restart");
        await ada.SeesSentAsync("Before the restart");
        await ben.OpenConversationAsync("Night shift");
        await ben.SeesAsync("Before the restart");

        await _app.KillAsync();
        await Expect(ada.Banner).ToContainTextAsync("No connection", new() { Timeout = 15_000 });
        await ada.SendAsync("Written while it was down");
        await Expect(ada.Message("Written while it was down")).ToHaveAttributeAsync("data-state", "pending");
        await ada.ScreenshotAsync("desktop-reconnecting");

        await _app.StartAsync();
        await ada.SeesSentAsync("Written while it was down");
        await Expect(ada.Banner).ToBeHiddenAsync(new() { Timeout = 30_000 });
        await ben.SeesAsync("Written while it was down");

        // The process was killed, the store is durable: everything is there, once.
        await Expect(ada.Message("Before the restart")).ToHaveCountAsync(1);
        await Expect(ben.Message("Before the restart")).ToHaveCountAsync(1);
        await Expect(ben.Messages).ToHaveCountAsync(2);
        await ben.SendAsync("And on we go");
        await ada.SeesAsync("And on we go");
        HaveNoErrors(ada, ben);
    }

    [Fact(Timeout = 120_000)]
    public async Task WhatWasNotSentSurvivesAReloadAndArrivesOnce()
    {
        var (ada, ben) = await AdaAndBen();
        await ben.OpenConversationAsync("Ada Lindqvist");
        await ada.OpenConversationAsync("Ben Okafor");
        await ada.Profile.SetOfflineAsync(true);
        await _app.KillAsync();
        await ada.SendAsync("Out of reach");
        await _app.StartAsync();
        await ada.Profile.SetOfflineAsync(false);
        await ada.Page.ReloadAsync();
        await ada.OpenConversationAsync("Ben Okafor");
        await ada.SeesSentAsync("Out of reach");
        await ben.SeesAsync("Out of reach");
        await Expect(ben.Messages).ToHaveCountAsync(1);
        await Expect(ada.Messages).ToHaveCountAsync(1);
        HaveNoErrors(ada, ben);
    }

    [Fact(Timeout = 90_000)]
    public async Task ASecondTabOfTheSameBrowserTakesOver()
    {
        var (ada, _) = await AdaAndBen();
        var second = await ada.ReopenAsync();
        await Expect(ada.Banner).ToContainTextAsync("open in another tab");
        await ada.Banner.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(second.Banner).ToContainTextAsync("open in another tab");
        await Expect(ada.Banner).ToBeHiddenAsync();
        HaveNoErrors(ada, second);
    }

    [Fact(Timeout = 120_000)]
    public async Task ItWorksAndLooksRightOnADesktopAndAtAPhonesWidth()
    {
        var stranger = await ChatPage.OpenAsync(await browser.NewProfileAsync(), _app.Url);
        _pages.Add(stranger);
        await Expect(stranger.Page.Locator("#account-title")).ToBeVisibleAsync();
        await stranger.ScreenshotAsync("desktop-register");

        var (ada, ben) = await AdaAndBen();
        await Scene(ada, ben);
        await ada.ScreenshotAsync("desktop-chat");
        await ada.Page.Locator("#emoji-toggle").ClickAsync();
        await ada.ScreenshotAsync("desktop-emoji");
        await ada.Page.Keyboard.PressAsync("Escape");
        await ada.Page.Locator("#new-group").ClickAsync();
        await ada.ScreenshotAsync("desktop-new-group");
        await ada.Page.Keyboard.PressAsync("Escape");
        await ada.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
        await ada.ScreenshotAsync("desktop-dark");

        var phone = await SignInAgain("ada", 390, 844);
        await Expect(phone.Row("Harbour walk")).ToBeVisibleAsync();
        await Expect(phone.Page.Locator("#conversation")).ToBeHiddenAsync();
        await phone.ScreenshotAsync("phone-list");
        await phone.OpenConversationAsync("Ben Okafor");
        await Expect(phone.Page.Locator("#list")).ToBeHiddenAsync();
        await phone.SeesAsync("wrapped up");
        await phone.ScreenshotAsync("phone-chat");
        Assert.Equal(390, await phone.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await phone.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
        await phone.ScreenshotAsync("phone-dark");
        await phone.Page.Locator("#back").ClickAsync();
        await Expect(phone.Page.Locator("#list")).ToBeVisibleAsync();
        await phone.OpenConversationAsync("Harbour walk");
        await phone.ScreenshotAsync("phone-group");
        HaveNoErrors(stranger, ada, ben, phone);
    }

    /// <summary>Something to look at: a direct conversation with a picture, a group, an unread badge.</summary>
    private async Task Scene(ChatPage ada, ChatPage ben)
    {
        var cleo = await Register("cleo", "Cleo Marchetti");
        await Register("dmitri", "Dmitri Halloran");
        await ada.LookAroundAsync();
        await Expect(ada.Row("Cleo Marchetti")).ToBeVisibleAsync();
        await ada.Page.Locator("#new-group").ClickAsync();
        await ada.Page.Locator("dialog input[name=name]").FillAsync("Harbour walk");
        await ada.Page.Locator("dialog .choice", new() { HasText = "Ben Okafor" }).ClickAsync();
        await ada.Page.Locator("dialog .choice", new() { HasText = "Cleo Marchetti" }).ClickAsync();
        await ada.Page.Locator("dialog button.primary").ClickAsync();
        await ada.SendAsync("Saturday at ten, by the lighthouse?");
        await cleo.OpenConversationAsync("Harbour walk");
        await cleo.SendAsync("I'll bring coffee ☕");
        await ben.OpenConversationAsync("Harbour walk");
        await ben.SendAsync("And I the cake. 🍰 See you there!");

        await ben.OpenConversationAsync("Ada Lindqvist");
        await ada.OpenConversationAsync("Ben Okafor");
        await ada.SendAsync("Morning! Did the photos from the coast turn out well?");
        await ben.SeesAsync("Did the photos");
        await ben.SendAsync("Better than I feared.");
        await ben.SendAsync("This one is my favourite, just before the rain:");
        await ben.Page.Locator("#file").SetInputFilesAsync(
            new FilePayload { Name = "coast.png", MimeType = "image/png", Buffer = Png.Gradient(640, 360) });
        await Expect(ada.Page.Locator("#entries img")).ToBeVisibleAsync();
        await ada.SendAsync("🤩");
        await ada.SendAsync(
            "Wonderful colours. Could you send me the full set once you have it wrapped up? I would like to put two or three of them on the wall.");
        await ben.SendAsync("Of course, tonight.");
        await ada.SeesAsync("Of course, tonight.");
        await cleo.OpenConversationAsync("Ada Lindqvist");
        await cleo.SendAsync("Ada, do you have a minute?");
        await Expect(ada.Badge("Cleo Marchetti")).ToHaveTextAsync("1");
    }

    private async Task<(ChatPage Ada, ChatPage Ben)> AdaAndBen()
    {
        var ada = await Register("ada", "Ada Lindqvist");
        var ben = await Register("ben", "Ben Okafor");
        await ada.LookAroundAsync();
        await Expect(ada.Row("Ben Okafor")).ToBeVisibleAsync(new() { Timeout = 15_000 });
        return (ada, ben);
    }

    private async Task<ChatPage> Register(string name, string displayName)
    {
        var page = await ChatPage.RegisterAsync(await browser.NewProfileAsync(), _app.Url, name, displayName);
        _pages.Add(page);
        return page;
    }

    private async Task<ChatPage> SignInAgain(string name, int width, int height)
    {
        var page = await ChatPage.SignInAsync(await browser.NewProfileAsync(width, height), _app.Url, name);
        _pages.Add(page);
        return page;
    }

    private static void HaveNoErrors(params ChatPage[] pages) => Array.ForEach(pages, page => page.HasNoErrors());
}
