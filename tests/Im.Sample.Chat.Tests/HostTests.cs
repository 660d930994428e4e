using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Im.Sample.Chat.Tests;

/// <summary>The sample's own rules over HTTP: who may do what.</summary>
public sealed class HostTests(SharedChatApp shared) : IClassFixture<SharedChatApp>
{
    private const string Password = "correct horse battery";

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
