using System.Reflection;
using Im.Admin.Tests.Support;
using Im.BrowserTests;
using Im.Groups;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Im.Admin.Tests;

/// <summary>The status page in a real browser: what it shows is true, and nobody's id becomes markup.</summary>
public sealed class PageTests(TwoNodes nodes, Browser browser) : IClassFixture<TwoNodes>, IClassFixture<Browser>
{
    private const string Nasty = "<img src=x onerror='document.title=1'>";

    // Where pictures of the page go.
    private static readonly string Artifacts =
        typeof(PageTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(one => one.Key == "Artifacts").Value!;

    [Theory]
    [InlineData(1200, 900, false, "wide-light")]
    [InlineData(390, 844, true, "phone-dark")]
    public async Task ThePageShowsBothNodesTheirConnectionsAndATrace(int width, int height, bool dark, string name)
    {
        await using var nasty = await nodes.South.ConnectAsync(Nasty, "<b>phone</b>");
        await using var nora = await nodes.North.ConnectAsync("nora", "laptop");
        var groups = nodes.North.Services.GetRequiredService<IImGroups>();
        await groups.CreateAsync(new NewGroup { GroupId = "page-" + name, Info = new Im.Model.GroupInfo("Page"), ActorId = "$test", MemberIds = ["nora", Nasty, "away"] });
        var messages = Enumerable.Range(0, 40).Select(i => new { senderId = "nora", conversationId = "g:page-" + name, content = new { text = "x" }, clientMessageId = $"{name}-{i}" });
        await nodes.CallAsync(HttpMethod.Post, "messages", new { messages });

        var (page, problems) = await OpenAsync(width, height, dark);
        await page.GotoAsync(nodes.North.Address + "im/admin");
        await page.Locator("[data-node=south] dl").WaitForAsync();
        Assert.EndsWith("/im/admin/", page.Url, StringComparison.Ordinal);
        Assert.Equal("2 of 2 nodes healthy", (await page.Locator("#summary").InnerTextAsync()).Split(" · ")[0]);
        Assert.Equal(3, await page.Locator("#charts svg").CountAsync());

        await page.FillAsync("#trace-form [name=userId]", Nasty);
        await page.FillAsync("#trace-form [name=senderId]", "nora");
        await page.FillAsync("#trace-form [name=clientMessageId]", $"{name}-7");
        await page.ClickAsync("#trace-form button");
        await page.Locator(".verdict").WaitForAsync();
        Assert.Contains("<b>phone</b>", await page.Locator("#trace").InnerTextAsync(), StringComparison.Ordinal);

        await page.FillAsync("#connection-form [name=user]", Nasty);
        await page.ClickAsync("#connection-form button");
        await page.Locator("#connections tbody tr").First.WaitForAsync();
        await Eventually.Async(async () => await page.Locator("#connections tbody tr").CountAsync() == 1 ? "" : "The filter does not filter.");
        Assert.Contains(Nasty, await page.Locator("#connections").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Contains(Nasty, await page.Locator("#online").InnerTextAsync(), StringComparison.Ordinal);

        // Nothing of it became an element, nothing was asked from elsewhere, nothing of the policy was broken.
        Assert.Equal(0, await page.Locator("img, #connections b, #online b, #trace b").CountAsync());
        Assert.Equal("IM status", await page.TitleAsync());
        var overflow = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.True(overflow <= 0, $"The page is {overflow} pixels wider than the window.");
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Artifacts, name + ".png"), FullPage = true });
        Assert.Empty(problems);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task AConnectionIsShownAndDisconnectedFromThePage()
    {
        await using var device = await nodes.South.ConnectAsync("petra", "tablet");
        var (page, problems) = await OpenAsync(1200, 900, dark: true);
        await page.GotoAsync(nodes.North.Address + "im/admin/");
        await page.FillAsync("#connection-form [name=user]", "petra");
        await page.ClickAsync("#connection-form button");
        await page.ClickAsync("#connections button:text('petra')");
        await page.Locator("dialog[open] table").WaitForAsync();
        Assert.Contains("inbox", await page.Locator("dialog table").InnerTextAsync(), StringComparison.Ordinal);
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Artifacts, "detail-dark.png") });
        await page.ClickAsync("dialog .danger");
        await page.ClickAsync("dialog .danger");
        await Eventually.Async(() => Task.FromResult(device.State == Im.Client.ImClientState.Closed ? "" : $"The client is {device.State}."));
        Assert.Empty(problems);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task ThePageIsUnderAStrictContentPolicy()
    {
        foreach (var file in new[] { "", "admin.js", "admin.css", "openapi.json", "nodes" })
        {
            using var response = await nodes.Operator.GetAsync(file);
            var policy = response.Headers.GetValues("Content-Security-Policy").Single();
            Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.True(response.IsSuccessStatusCode);
        }
    }

    private async Task<(IPage Page, List<string> Problems)> OpenAsync(int width, int height, bool dark)
    {
        var context = await browser.NewProfileAsync(width, height, dark);
        await context.AddCookiesAsync([new Cookie { Name = "operator", Value = Operators.Administrator, Url = nodes.North.Address.ToString() }]);
        var page = await context.NewPageAsync();
        var problems = new List<string>();
        page.PageError += (_, error) => problems.Add(error);
        page.Console += (_, message) =>
        {
            // No icon is there, and a browser asks for one.
            if (message.Type == "error" && !message.Location.Contains("favicon", StringComparison.Ordinal))
            {
                problems.Add(message.Text);
            }
        };
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(nodes.North.Address.ToString(), StringComparison.Ordinal))
            {
                problems.Add(request.Url);
            }
        };
        return (page, problems);
    }
}
