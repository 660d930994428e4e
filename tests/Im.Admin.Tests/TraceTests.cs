using System.Text.Json.Nodes;
using Im.Admin.Tests.Support;
using Im.Client;
using Im.Groups;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Admin.Tests;

/// <summary>Why a message was not delivered to somebody: every answer, over two nodes.</summary>
public sealed class TraceTests(TwoNodes nodes) : IClassFixture<TwoNodes>
{
    [Fact]
    public async Task AMessageThatNobodyAcceptedIsSaidSo()
    {
        Assert.Equal("notAccepted", await VerdictAsync("userId=tom&senderId=tina&clientMessageId=never"));
        Assert.Equal("notAccepted", await VerdictAsync("userId=tom&conversationId=g:none&seq=1"));
    }

    [Fact]
    public async Task ADeviceThatAckedHasItAndOneThatIsAwayGetsItLater()
    {
        var away = await nodes.North.ConnectAsync("tara", "away");
        await away.DisposeAsync();
        await using var here = await nodes.South.ConnectAsync("tara", "here");
        await SendAsync("ted", "tara", "t-1");
        await EventuallyAsync("userId=tara&senderId=ted&clientMessageId=t-1", "deliveredToSome");
        var trace = await nodes.GetAsync("trace?userId=tara&senderId=ted&clientMessageId=t-1");
        Assert.Equal(["away noSession", "here acked"], trace["devices"]!.AsArray().Select(one => $"{one!["deviceId"]} {one["state"]}"));
        Assert.Equal("south", (string?)trace["devices"]![1]!["session"]!["node"]);
        Assert.Equal(("inbox", 1), ((string?)trace["route"], (long)trace["inboxSeq"]!));
        Assert.Equal("notWanted", (string?)Assert.Single(trace["notices"]!.AsArray())!["outcome"]);
        Assert.Contains("away", (string?)trace["text"], StringComparison.Ordinal);

        await using var back = await nodes.North.ConnectAsync("tara", "away");
        await EventuallyAsync("userId=tara&senderId=ted&clientMessageId=t-1", "delivered");
    }

    [Fact]
    public async Task WhoIsOfflineIsToldByTheNotifierOrItFailed()
    {
        var device = await nodes.South.ConnectAsync("theo");
        await device.DisposeAsync();
        await Eventually.Async(async () => (bool)(await nodes.GetAsync("users/theo"))["isOnline"]! ? "still online" : "");
        await SendAsync("$bell", "theo", "t-2");
        nodes.Notifier.FailsFor = "$broken";
        await SendAsync("$broken", "theo", "t-3");
        await Eventually.Async(async () =>
        {
            var told = await nodes.GetAsync("trace?userId=theo&senderId=%24bell&clientMessageId=t-2");
            var failed = await nodes.GetAsync("trace?userId=theo&senderId=%24broken&clientMessageId=t-3");
            return (string?)told["verdict"] == "offline" && OutcomeOf(told) == "told" && OutcomeOf(failed) == "failed"
                && ((string)failed["text"]!).Contains("The push service said no.", StringComparison.Ordinal) ? "" : $"{told}\n{failed}";
        });
        Assert.Equal("noDevice", await VerdictAsync("userId=tess&senderId=%24bell&clientMessageId=" + await SendAsync("$bell", "tess", "t-4")));
    }

    [Fact]
    public async Task WhoWasNoMemberThenIsSaidSo()
    {
        var groups = nodes.North.Services.GetRequiredService<IImGroups>();
        await groups.CreateAsync(new NewGroup { GroupId = "trace", Info = new GroupInfo("Trace"), ActorId = "$test", MemberIds = ["tim", "toni"] });
        await SendToGroupAsync("tim", "before");
        await groups.AddMembersAsync("trace", ["tilda"], "$test");
        await groups.RemoveMembersAsync("trace", ["toni"], "$test");
        await SendToGroupAsync("tim", "after");
        Assert.Equal("notAMember", await VerdictAsync("userId=tilda&senderId=tim&clientMessageId=before"));
        Assert.Equal("notAMember", await VerdictAsync("userId=toni&senderId=tim&clientMessageId=after"));
        Assert.Equal("notAMember", await VerdictAsync("userId=taco&senderId=tim&clientMessageId=after"));
        Assert.Equal("noDevice", await VerdictAsync("userId=tilda&senderId=tim&clientMessageId=after"));
        Assert.Contains("joined with entry 3", (string?)(await nodes.GetAsync("trace?userId=tilda&conversationId=g:trace&seq=2"))["text"], StringComparison.Ordinal);

        async Task SendToGroupAsync(string sender, string id) => await nodes.CallAsync(
            HttpMethod.Post, "messages", new { messages = new[] { new { senderId = sender, conversationId = "g:trace", content = new { text = "x" }, clientMessageId = id } } });
    }

    [Fact]
    public async Task AMessageOfALargeGroupComesThroughTheConversationsOwnTimeline()
    {
        var groups = nodes.North.Services.GetRequiredService<IImGroups>();
        await groups.CreateAsync(new NewGroup { GroupId = "wide", Info = new GroupInfo("Wide"), ActorId = "$test", MemberIds = ["wim", "wes"] });
        await groups.SetFanoutAsync("wide", "read", "$test");
        await using var device = await nodes.South.ConnectAsync("wes");
        await nodes.CallAsync(
            HttpMethod.Post, "messages", new { messages = new[] { new { senderId = "wim", conversationId = "g:wide", content = new { text = "x" }, clientMessageId = "w-1" } } });
        await EventuallyAsync("userId=wes&senderId=wim&clientMessageId=w-1", "delivered");
        Assert.Equal("conversation", (string?)(await nodes.GetAsync("trace?userId=wes&senderId=wim&clientMessageId=w-1"))["route"]);
    }

    [Fact]
    public async Task APlaceFarBackInALongInboxIsFound()
    {
        for (var i = 0; i < 30; i++)
        {
            await nodes.CallAsync(
                HttpMethod.Post,
                "messages",
                new { messages = Enumerable.Range(0, 50).Select(n => new { senderId = $"$many-{n % 7}", toUserId = "lena", content = new { text = "x" }, clientMessageId = $"l-{i}-{n}" }) });
        }

        var trace = await nodes.GetAsync("trace?userId=lena&senderId=%24many-2&clientMessageId=l-14-23");
        var store = nodes.North.Services.GetRequiredService<IMessageStore>();
        var read = (await store.ReadInboxesAsync([new InboxRead("lena", new InboxSeq((long)trace["inboxSeq"]! - 1), 1)], default))[0];
        Assert.Equal((trace["message"]!["conversationId"]!.ToString(), (long)trace["message"]!["seq"]!), (read.Runs[0].ConversationId, read.Runs[0].First.Value));
    }

    [Fact]
    public async Task AClientThatDoesNotAckIsSaidSo()
    {
        await using var device = await nodes.South.ConnectAsync("silas", reads: false);
        await SendAsync("ted", "silas", "t-5");
        await EventuallyAsync("userId=silas&senderId=ted&clientMessageId=t-5", "notAcked");
    }

    private async Task<string> SendAsync(string sender, string user, string id)
    {
        var (status, body) = await nodes.CallAsync(
            HttpMethod.Post, "messages", new { messages = new[] { new { senderId = sender, toUserId = user, content = new { text = "x" }, clientMessageId = id } } });
        Assert.True(status == 200 && (string?)body["results"]![0]!["outcome"] == "stored", body.ToJsonString());
        return id;
    }

    private async Task<string> VerdictAsync(string query) => (string)(await nodes.GetAsync("trace?" + query))["verdict"]!;

    private Task EventuallyAsync(string query, string verdict) => Eventually.Async(async () =>
    {
        var trace = await nodes.GetAsync("trace?" + query);
        return (string?)trace["verdict"] == verdict ? "" : trace.ToJsonString();
    });

    private static string? OutcomeOf(JsonObject trace) => (string?)trace["notices"]!.AsArray().LastOrDefault()?["outcome"];
}
