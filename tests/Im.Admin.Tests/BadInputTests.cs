using Im.Admin.Tests.Support;

namespace Im.Admin.Tests;

/// <summary>What cannot be right is told as a problem with a name, and with what to do.</summary>
public sealed class BadInputTests(TwoNodes nodes) : IClassFixture<TwoNodes>
{
    [Theory]
    [InlineData("connections?limit=0", "invalid_argument")]
    [InlineData("connections?limit=many", "invalid_argument")]
    [InlineData("connections?state=asleep", "invalid_argument")]
    [InlineData("connections?after=!!", "invalid_argument")]
    [InlineData("connections?after=AAAA", "invalid_argument")]
    [InlineData("connections?colour=red", "invalid_argument")]
    [InlineData("connections?user=a&user=b", "invalid_argument")]
    [InlineData("users/%24system", "invalid_argument")]
    [InlineData("users/a%01b", "invalid_argument")]
    [InlineData("trace", "invalid_argument")]
    [InlineData("trace?userId=u", "invalid_argument")]
    [InlineData("trace?userId=u&conversationId=g:x&seq=0", "invalid_argument")]
    [InlineData("trace?userId=u&conversationId=g:x&seq=1&senderId=s&clientMessageId=c", "invalid_argument")]
    [InlineData("trace?userId=u&senderId=s", "invalid_argument")]
    [InlineData("trace?userId=u&seq=1", "invalid_argument")]
    public async Task ABadQueryIsNamed(string path, string name)
    {
        var (status, body) = await nodes.CallAsync(HttpMethod.Get, path);
        Assert.Equal((400, name), (status, (string?)body["title"]));
        Assert.True(((string?)body["detail"])!.Length > 10);
        Assert.DoesNotContain("(Parameter", (string?)body["detail"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "bad_json")]
    [InlineData("null", "invalid_argument")]
    [InlineData("{}", "bad_json")]
    [InlineData("""{"messages":[]}""", "invalid_argument")]
    [InlineData("""{"messages":[],"extra":1}""", "bad_json")]
    [InlineData("""{"messages":[{"senderId":"$s","content":{"text":"x"}}]}""", "invalid_argument")]
    [InlineData("""{"messages":[{"senderId":"$s","toUserId":"a","conversationId":"g:x","content":{"text":"x"}}]}""", "invalid_argument")]
    [InlineData("""{"messages":[{"senderId":null,"toUserId":"a","content":{"text":"x"}}]}""", "bad_json")]
    [InlineData("""{"messages":[{"senderId":"$s","toUserId":"a","content":{"text":"x","data":"***"}}]}""", "bad_json")]
    public async Task ABadBodyIsNamed(string json, string name)
    {
        using var content = new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        using var response = await nodes.Operator.PostAsync("messages", content);
        var text = await response.Content.ReadAsStringAsync();
        Assert.Equal(400, (int)response.StatusCode);
        Assert.Contains($"\"title\":\"{name}\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TooManyMessagesAndTooLargeABodyAreRefused()
    {
        var (status, body) = await nodes.CallAsync(
            HttpMethod.Post,
            "messages",
            new { messages = new[] { new { senderId = "$s", toUserIds = Enumerable.Range(0, 1001).Select(i => $"u{i}"), content = new { text = "x" } } } });
        Assert.Equal(400, status);
        Assert.Contains("MaxMessagesPerCall", (string?)body["detail"], StringComparison.Ordinal);

        (status, body) = await nodes.CallAsync(HttpMethod.Post, "messages/all", new { senderId = "$s", content = new { text = new string('x', 2_000_000) } });
        Assert.Equal((413, "body_too_large"), (status, (string?)body["title"]));
        (status, body) = await nodes.CallAsync(HttpMethod.Post, "messages/all", new { senderId = "$s", content = new { text = new string('x', 100_000) } });
        Assert.Equal((400, "body_too_large"), (status, (string?)body["title"]));
        (status, body) = await nodes.CallAsync(HttpMethod.Post, "messages/all", new { senderId = "", content = new { text = "x" } });
        Assert.Equal(400, status);
    }

    [Theory]
    [InlineData("connections/south/1", 3001)]
    [InlineData("users/eve/sessions", 5000)]
    public async Task AForeignCloseCodeIsRefused(string path, int code)
    {
        var (status, body) = await nodes.CallAsync(HttpMethod.Delete, path, new { code });
        Assert.Equal((400, "invalid_argument"), (status, (string?)body["title"]));
        (status, _) = await nodes.CallAsync(HttpMethod.Delete, path, new { reason = new string('x', 200) });
        Assert.Equal(400, status);
    }
}
