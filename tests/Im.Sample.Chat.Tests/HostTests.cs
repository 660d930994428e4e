using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Im.Client;
using Im.Protocol;

namespace Im.Sample.Chat.Tests;

/// <summary>The sample's own rules over HTTP: who may do what.</summary>
public sealed class HostTests(SharedChatApp shared) : IClassFixture<SharedChatApp>
{
    private const string Password = "correct horse battery";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static int _users;

    private readonly ChatApp _app = shared.App;

    [Fact(Timeout = 60_000)]
    public async Task WhoHasNotSignedInGetsThePageAndNothingElse()
    {
        using var client = Client();
        using var page = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single());
        using var script = await client.GetAsync("/lib/im-client.js");
        Assert.Equal(HttpStatusCode.OK, script.StatusCode);
        foreach (var path in new[] { "/api/contacts", "/api/groups", "/im", "/pictures/" + new string('a', 64) })
        {
            using var answer = await client.GetAsync(path);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }

        foreach (var path in new[] { "/api/groups", "/api/pictures", "/api/token", "/api/logout", "/api/groups/x/members" })
        {
            using var answer = await client.PostAsJsonAsync(path, new { });
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task ARequestThatAnotherSitesPageCouldMakeIsRefused()
    {
        using var client = Client();
        await Register(client, NewName());
        using var form = await client.PostAsync("/api/token", new StringContent("{}", Encoding.UTF8, "text/plain"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, form.StatusCode);
        Assert.Contains("Content-Type: application/json", await Error(form));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/token") { Content = JsonContent.Create(new { }) };
        request.Headers.Add("Origin", "http://evil.example");
        using var foreign = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
        using var own = await client.PostAsJsonAsync("/api/token", new { });
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("ab", Password, "3 to 32")]
    [InlineData("<script>", Password, "3 to 32")]
    [InlineData("ada", "short", "at least 8")]
    [InlineData("ada", "password1", "too easy")]
    [InlineData("ada", "my name is ada", "must not contain")]
    public async Task ABadNameOrPasswordIsRefusedWithTheReason(string name, string password, string reason)
    {
        using var client = Client();
        using var answer = await client.PostAsJsonAsync("/api/register", new { name, displayName = "", password });
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(reason, await Error(answer));
    }

    [Fact(Timeout = 60_000)]
    public async Task ANameIsTakenOnceAndAWrongPasswordTellsNothing()
    {
        using var client = Client();
        var name = NewName();
        await Register(client, name);
        using var taken = await Client().PostAsJsonAsync("/api/register", new { name = name.ToUpperInvariant(), password = Password });
        Assert.Equal(HttpStatusCode.Conflict, taken.StatusCode);
        using var wrong = await Client().PostAsJsonAsync("/api/login", new { name, password = "wrong horse battery" });
        using var unknown = await Client().PostAsJsonAsync("/api/login", new { name = "nobody", password = Password });
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
        Assert.Equal(await Error(wrong), await Error(unknown));
    }

    [Fact(Timeout = 60_000)]
    public async Task TheCookieIsOutOfReachForScriptsAndOtherSites()
    {
        using var client = Client();
        using var answer = await client.PostAsJsonAsync("/api/register", new { name = NewName(), password = Password });
        var cookie = answer.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact(Timeout = 60_000)]
    public async Task OnlyMembersAddAndOnlyTheOwnerRemovesOthers()
    {
        using var ada = Client();
        using var ben = Client();
        using var cleo = Client();
        var adaId = await Register(ada, NewName());
        var benId = await Register(ben, NewName());
        var cleoId = await Register(cleo, NewName());
        using var created = await ada.PostAsJsonAsync("/api/groups", new { name = "Two", memberIds = new[] { benId } });
        Assert.Equal(HttpStatusCode.OK, created.StatusCode);
        var members = $"/api/groups/{(await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()}/members";

        using var stranger = await cleo.PostAsJsonAsync(members, new { userIds = new[] { cleoId } });
        Assert.Equal(HttpStatusCode.NotFound, stranger.StatusCode);
        using var notOwner = await Remove(ben, members, adaId);
        Assert.Equal(HttpStatusCode.Forbidden, notOwner.StatusCode);
        using var member = await ben.PostAsJsonAsync(members, new { userIds = new[] { cleoId } });
        Assert.Equal(HttpStatusCode.OK, member.StatusCode);
        using var unknown = await ben.PostAsJsonAsync(members, new { userIds = new[] { "nobody" } });
        Assert.Equal(HttpStatusCode.BadRequest, unknown.StatusCode);

        // The owner leaves: who joined first after them owns it.
        using var left = await Remove(ada, members, adaId);
        Assert.Equal(HttpStatusCode.OK, left.StatusCode);
        using var owner = await Remove(ben, members, cleoId);
        Assert.Equal(HttpStatusCode.OK, owner.StatusCode);
        using var last = await Remove(ben, members, benId);
        Assert.Equal(HttpStatusCode.OK, last.StatusCode);
        Assert.Equal(0, (await ben.GetFromJsonAsync<JsonElement>("/api/groups")).GetArrayLength());
    }

    [Fact(Timeout = 60_000)]
    public async Task APictureIsStoredOnceAndItsBytesSayWhatItIs()
    {
        using var client = Client();
        await Register(client, NewName());
        var png = Png.Gradient(32, 20);
        using var first = await Upload(client, png);
        using var second = await Upload(client, png);
        var url = (await first.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("url").GetString();
        Assert.Equal(url, (await second.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("url").GetString());
        using var picture = await client.GetAsync(url);
        Assert.Equal("image/png", picture.Content.Headers.ContentType?.MediaType);
        Assert.Equal("nosniff", picture.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal(png, await picture.Content.ReadAsByteArrayAsync());

        using var html = await Upload(client, "<html></html>"u8.ToArray());
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, html.StatusCode);
        using var empty = await Upload(client, []);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, empty.StatusCode);
        using var large = await Upload(client, [.. png, .. new byte[6 * 1024 * 1024]]);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        Assert.Contains("at most 5 MB", await Error(large));
        using var outside = await client.GetAsync("/pictures/..%2fchat.db");
        Assert.Equal(HttpStatusCode.NotFound, outside.StatusCode);
    }

    [Fact(Timeout = 60_000)]
    public async Task SigningOutEndsTheCookieTheTokensAndTheConnectionsOfThisSignInOnly()
    {
        var name = NewName();
        var (id, cookie) = await SignInForCookie("/api/register", name);
        var (_, otherCookie) = await SignInForCookie("/api/login", name);
        using var client = WithCookie(cookie);
        using var other = WithCookie(otherCookie);
        var token = await Token(client);
        await using var device = Native(token, "one");
        await using var otherDevice = Native(await Token(other), "two");
        await device.ConnectAsync().WaitAsync(Patience);
        await otherDevice.ConnectAsync().WaitAsync(Patience);
        Assert.Equal(id, device.UserId);

        using var signedOut = await client.PostAsJsonAsync("/api/logout", new { });
        Assert.Equal(HttpStatusCode.OK, signedOut.StatusCode);
        await device.Closed.WaitAsync(Patience);

        using var copy = await client.GetAsync("/api/contacts");
        Assert.Equal(HttpStatusCode.Unauthorized, copy.StatusCode);
        await using var again = Native(token, "three");
        await Assert.ThrowsAsync<ImClientException>(() => again.ConnectAsync().WaitAsync(Patience));
        Assert.Equal(ImClientState.Connected, otherDevice.State);
        using var stays = await other.GetAsync("/api/contacts");
        Assert.Equal(HttpStatusCode.OK, stays.StatusCode);
    }

    [Fact(Timeout = 60_000)]
    public async Task SigningOutEverywhereEndsAllSignIns()
    {
        var name = NewName();
        var (_, cookie) = await SignInForCookie("/api/register", name);
        var (_, otherCookie) = await SignInForCookie("/api/login", name);
        using var client = WithCookie(cookie);
        using var other = WithCookie(otherCookie);
        using var signedOut = await client.PostAsJsonAsync("/api/logout", new { everywhere = true });
        Assert.Equal(HttpStatusCode.OK, signedOut.StatusCode);
        using var answer = await other.GetAsync("/api/contacts");
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact(Timeout = 60_000)]
    public async Task APictureIsForItsUploaderAndForPresentMembersOfWhereItWasSent()
    {
        using var ada = Client();
        using var ben = Client();
        using var cleo = Client();
        await Register(ada, NewName());
        var benId = await Register(ben, NewName());
        var cleoId = await Register(cleo, NewName());
        using var uploaded = await Upload(ada, Png.Gradient(33, 21));
        var url = (await uploaded.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("url").GetString()!;
        Assert.Equal(HttpStatusCode.OK, await Status(ada, url));
        Assert.Equal(HttpStatusCode.NotFound, await Status(ben, url));
        await using var adaDevice = Native(await Token(ada), "ada");
        await using var benDevice = Native(await Token(ben), "ben");
        await adaDevice.ConnectAsync().WaitAsync(Patience);
        await benDevice.ConnectAsync().WaitAsync(Patience);
        var image = JsonSerializer.Serialize(new { url, width = 33 });

        // Knowing the address opens nothing, not even by sending it to oneself or a friend.
        var refused = await Assert.ThrowsAsync<ImClientException>(() => SendImage(benDevice, ImTarget.User(cleoId), image));
        Assert.Contains("upload it first", refused.Message);
        Assert.Equal(HttpStatusCode.NotFound, await Status(ben, url));
        Assert.Equal(HttpStatusCode.NotFound, await Status(cleo, url));

        using var created = await ada.PostAsJsonAsync("/api/groups", new { name = "Two", memberIds = new[] { benId } });
        var group = await created.Content.ReadFromJsonAsync<JsonElement>();
        await SendImage(adaDevice, ImTarget.Conversation(group.GetProperty("conversationId").GetString()!), image);
        Assert.Equal(HttpStatusCode.OK, await Status(ben, url));
        Assert.Equal(HttpStatusCode.NotFound, await Status(cleo, url));
        await SendImage(benDevice, ImTarget.User(cleoId), image);
        Assert.Equal(HttpStatusCode.OK, await Status(cleo, url));

        // Who joins sees it, and who is removed sees it no more.
        using var dora = Client();
        var doraId = await Register(dora, NewName());
        var members = $"/api/groups/{group.GetProperty("id").GetString()}/members";
        using var added = await ada.PostAsJsonAsync(members, new { userIds = new[] { doraId } });
        Assert.Equal(HttpStatusCode.OK, await Status(dora, url));
        using var removed = await Remove(ada, members, doraId);
        Assert.Equal(HttpStatusCode.NotFound, await Status(dora, url));
    }

    [Fact(Timeout = 60_000)]
    public async Task AUsedTcpPortIsRefusedWithTheSettingToChange()
    {
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await using var second = new ChatApp("--Im:TcpPort", ((IPEndPoint)taken.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture));
        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(second.StartAsync);
        await second.KillAsync(); // waits for the rest of its output
        Assert.Contains("--Im:TcpPort=0", second.Output);
    }

    [Fact(Timeout = 60_000)]
    public async Task UploadsHaveAQuotaAndARate()
    {
        await using var strict = new ChatApp("--Chat:PictureQuotaBytes", "4096", "--Chat:MaxPicturesPerMinute", "4");
        await strict.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(strict.Url), Timeout = TimeSpan.FromSeconds(10) };
        await Register(client, NewName());
        byte[] first = [.. Png.Gradient(4, 4), .. new byte[2500]];
        byte[] second = [.. Png.Gradient(5, 5), .. new byte[2500]];
        using var stored = await Upload(client, first);
        using var again = await Upload(client, first);
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        using var full = await Upload(client, second);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, full.StatusCode);
        Assert.Contains("does not fit", await Error(full));
        using var fourth = await Upload(client, first);
        Assert.Equal(HttpStatusCode.OK, fourth.StatusCode);
        using var fifth = await Upload(client, first);
        Assert.Equal(HttpStatusCode.TooManyRequests, fifth.StatusCode);
        Assert.Contains("Too many pictures", await Error(fifth));
    }

    [Fact(Timeout = 60_000)]
    public async Task GuessingPasswordsIsSlowedDown()
    {
        await using var strict = new ChatApp("--Chat:MaxSignInsPerMinute", "3");
        await strict.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(strict.Url), Timeout = TimeSpan.FromSeconds(10) };
        var codes = new List<HttpStatusCode>();
        for (var i = 0; i < 4; i++)
        {
            using var answer = await client.PostAsJsonAsync("/api/login", new { name = "ada", password = "guess number " + i });
            codes.Add(answer.StatusCode);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, codes[^1]);
        Assert.All(codes[..3], code => Assert.Equal(HttpStatusCode.Unauthorized, code));
    }

    private HttpClient Client() => new() { BaseAddress = new Uri(_app.Url), Timeout = TimeSpan.FromSeconds(10) };

    private ImClient Native(string token, string device) => new(new ImClientOptions
    {
        Server = new Uri($"tcp://127.0.0.1:{_app.TcpPort}"),
        DeviceId = device,
        TokenProvider = _ => ValueTask.FromResult(token),
    });

    // Sends the cookie that it was given whatever the server says, as who has a copy of it would.
    private HttpClient WithCookie(string cookie)
    {
        var client = new HttpClient(new HttpClientHandler { UseCookies = false }) { BaseAddress = new Uri(_app.Url), Timeout = TimeSpan.FromSeconds(10) };
        client.DefaultRequestHeaders.Add("Cookie", cookie);
        return client;
    }

    private async Task<(string Id, string Cookie)> SignInForCookie(string path, string name)
    {
        using var client = Client();
        using var answer = await client.PostAsJsonAsync(path, new { name, password = Password });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
        return (id, answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
    }

    private static Task SendImage(ImClient client, ImTarget target, string json) =>
        client.SendAsync(new ImMessage { Target = target, Content = new Content { ContentType = "image", Text = json } }).WaitAsync(Patience);

    private static async Task<string> Token(HttpClient client)
    {
        using var answer = await client.PostAsJsonAsync("/api/token", new { });
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token").GetString()!;
    }

    private static async Task<HttpStatusCode> Status(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        return answer.StatusCode;
    }

    private static string NewName() => "user" + Interlocked.Increment(ref _users);

    private static async Task<string> Register(HttpClient client, string name)
    {
        using var answer = await client.PostAsJsonAsync("/api/register", new { name, password = Password });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }

    private static Task<HttpResponseMessage> Upload(HttpClient client, byte[] bytes)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new("application/octet-stream");
        return client.PostAsync("/api/pictures", content);
    }

    private static Task<HttpResponseMessage> Remove(HttpClient client, string members, string userId) =>
        client.SendAsync(new HttpRequestMessage(HttpMethod.Delete, $"{members}/{userId}") { Content = JsonContent.Create(new { }) });

    private static async Task<string> Error(HttpResponseMessage answer) =>
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetString()!;
}
