using System.Net;
using System.Text.Json.Nodes;
using Im.Admin.Tests.Support;
using Im.Administration;
using Im.Client;
using Im.Groups;
using Im.Model;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Admin.Tests;

/// <summary>Each operation, asked at the first of two nodes, about both.</summary>
public sealed class OperationTests(TwoNodes nodes) : IClassFixture<TwoNodes>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task NodesAndTheirStatusAreOfBothNodes()
    {
        await using var nina = await nodes.North.ConnectAsync("nina");
        await using var sam = await nodes.South.ConnectAsync("sam");
        var list = (await nodes.GetAsync("nodes"))["nodes"]!.AsArray();
        Assert.Equal(["north", "south"], list.Select(node => (string)node!["name"]!));
        Assert.All(list, node =>
        {
            Assert.Equal("healthy", (string?)node!["health"]);
            Assert.True((bool)node["answered"]!);
            Assert.True((long)node["epoch"]! > 0);
            Assert.True((int)node["sessions"]! >= 1);
        });
        var all = await nodes.GetAsync("status");
        Assert.Equal(2, all["nodes"]!.AsArray().Count);
        Assert.Empty(all["silentNodes"]!.AsArray());
        var south = (await nodes.GetAsync("status?node=south"))["nodes"]![0]!;
        Assert.Equal("south", (string?)south["node"]);
        Assert.True((long)south["process"]!["workingSetBytes"]! > 0);
        Assert.True((bool)south["store"]!["isHealthy"]!);
        Assert.Equal(404, (await nodes.CallAsync(HttpMethod.Get, "status?node=west")).Status);
    }

    [Fact]
    public async Task RatesAreOfTheLastSeconds()
    {
        await using var sender = await nodes.South.ConnectAsync("rita");
        for (var i = 0; i < 30; i++)
        {
            await sender.SendTextAsync(ImTarget.User("rob"), "hello").WaitAsync(Limit);
        }

        await Eventually.Async(async () =>
        {
            var rates = (await nodes.GetAsync("status?node=south"))["nodes"]![0]!["rates"]!;
            return (double)rates["sendsPerSecond"]! > 1 && (long)rates["totalSends"]! >= 30 && rates["history"]!.AsArray().Count > 0 ? "" : rates.ToJsonString();
        });
    }

    [Fact]
    public async Task ConnectionsArePagedOverAllNodesAndFiltered()
    {
        var devices = new List<ImClient>();
        for (var i = 0; i < 7; i++)
        {
            devices.Add(await (i % 2 == 0 ? nodes.North : nodes.South).ConnectAsync("paula", $"device-{i}"));
        }

        var (found, after) = (new List<string>(), "");
        do
        {
            var page = await nodes.GetAsync($"connections?user=paula&limit=2{after}");
            Assert.True(page["connections"]!.AsArray().Count <= 2);
            found.AddRange(page["connections"]!.AsArray().Select(one => $"{one!["node"]}/{one["deviceId"]}"));
            after = page["next"] is { } next ? $"&after={next}" : "";
        }
        while (after.Length > 0);
        Assert.Equal(
            ["north/device-0", "north/device-2", "north/device-4", "north/device-6", "south/device-1", "south/device-3", "south/device-5"], found);

        Assert.Equal(3, await CountAsync("user=paula&node=south"));
        Assert.Equal(1, await CountAsync("user=paula&device=device-3"));
        Assert.Equal(7, await CountAsync("user=paula&transport=websocket") + await CountAsync("user=paula&transport=tcp"));
        Assert.Equal(0, await CountAsync("user=paula&state=signingIn"));
        await Eventually.Async(async () => await CountAsync("user=paula&state=live") == 7 ? "" : "Not all seven are live.");
        foreach (var device in devices)
        {
            await device.DisposeAsync();
        }

        async Task<int> CountAsync(string filter) => (await nodes.GetAsync($"connections?{filter}"))["connections"]!.AsArray().Count;
    }

    [Fact]
    public async Task AConnectionOfAnotherNodeIsShownAndClosed()
    {
        var device = await nodes.South.ConnectAsync("dora", "laptop");
        var id = (string)(await nodes.GetAsync("connections?user=dora"))["connections"]![0]!["connectionId"]!;
        var detail = await nodes.GetAsync($"connections/south/{id}");
        Assert.Equal("laptop", (string?)detail["device"]!["deviceId"]);
        Assert.Equal("protobuf", (string?)detail["codec"]);
        Assert.True((long)detail["writtenBytes"]! > 0);
        var inbox = Assert.Single(detail["timelines"]!.AsArray());
        Assert.Null(inbox!["conversationId"]);

        var (status, _) = await nodes.CallAsync(HttpMethod.Delete, $"connections/south/{id}", new { code = 4242, reason = "You asked for it." });
        Assert.Equal(200, status);
        await Eventually.Async(() => Task.FromResult(device.State == ImClientState.Closed ? "" : $"The client is {device.State}."));
        await Eventually.Async(async () =>
        {
            var (again, body) = await nodes.CallAsync(HttpMethod.Get, $"connections/south/{id}");
            return again == 404 && (string?)body["title"] == "unknown_connection" ? "" : $"{again} {body}";
        });
        await device.DisposeAsync();
    }

    [Fact]
    public async Task AUsersSessionsAreClosedOnAllNodes()
    {
        await using var one = await nodes.North.ConnectAsync("xeno/1%2F2", "a");
        await using var two = await nodes.South.ConnectAsync("xeno/1%2F2", "b");
        var path = "users/" + Uri.EscapeDataString("xeno/1%2F2");
        await Eventually.Async(async () =>
            (await nodes.GetAsync(path))["sessions"]!.AsArray().Count == 2 ? "" : "The user has no two sessions.");
        var (status, body) = await nodes.CallAsync(HttpMethod.Delete, path + "/sessions");
        Assert.Equal((200, 2), (status, (int)body["sessions"]!));
        await Eventually.Async(() => Task.FromResult(one.State == ImClientState.Closed && two.State == ImClientState.Closed ? "" : "One is still there."));
        await Eventually.Async(async () => (bool)(await nodes.GetAsync(path))["isOnline"]! ? "The user is still online." : "");
        Assert.True((long)(await nodes.GetAsync(path))["lastSeenMs"]! > 0);
    }

    [Fact]
    public async Task OnlineUsersOfBothNodesAreListedPageByPage()
    {
        await using var one = await nodes.North.ConnectAsync("online-1");
        await using var two = await nodes.South.ConnectAsync("online-2");
        var (found, after) = (new List<string>(), "");
        do
        {
            var page = await nodes.GetAsync($"users/online?limit=1{after}");
            found.AddRange(page["users"]!.AsArray().Select(user => $"{user!["userId"]}@{user["sessions"]![0]!["node"]}"));
            after = page["next"] is { } next ? $"&after={Uri.EscapeDataString((string)next!)}" : "";
        }
        while (after.Length > 0);
        Assert.Contains("online-1@north", found);
        Assert.Contains("online-2@south", found);
    }

    [Fact]
    public async Task AUserIsShownWithDevicesAndConversations()
    {
        await using var ursula = await nodes.South.ConnectAsync("ursula", "tablet");
        await using var other = await nodes.North.ConnectAsync("udo");
        await other.SendTextAsync(ImTarget.User("ursula"), "one").WaitAsync(Limit);
        await Eventually.Async(async () =>
        {
            var user = await nodes.GetAsync("users/ursula");
            return user["devices"]!.AsArray() is [{ } device] && (long)device["ackedInboxSeq"]! == 1 && (long)user["inboxHead"]! == 1 ? "" : user.ToJsonString();
        });
        var conversation = Assert.Single((await nodes.GetAsync("users/ursula"))["conversations"]!.AsArray());
        Assert.Equal(ConversationId.Direct("udo", "ursula"), (string?)conversation!["conversationId"]);
        Assert.Equal(1, (long)conversation["unread"]!);
        var (status, body) = await nodes.CallAsync(HttpMethod.Get, "users/nobody-1");
        Assert.Equal((404, "unknown_user"), (status, (string?)body["title"]));
    }

    [Fact]
    public async Task MessagesGoToOneToManyAndIntoAConversation()
    {
        var groups = nodes.North.Services.GetRequiredService<IImGroups>();
        await groups.CreateAsync(new NewGroup { GroupId = "mail", Info = new Im.Model.GroupInfo("Mail"), ActorId = "$test", MemberIds = ["mia", "max"] });
        var content = new { text = "hello" };
        object[] messages =
        [
            new { senderId = "$office", toUserId = "mia", content, clientMessageId = "m-1" },
            new { senderId = "$office", toUserIds = new[] { "mia", "max", "nobody-2" }, content, clientMessageId = "m-2" },
            new { senderId = "mia", conversationId = "g:mail", content },
        ];
        var (status, body) = await nodes.CallAsync(HttpMethod.Post, "messages", new { messages });
        Assert.True(status == 200, body.ToJsonString());
        var results = body["results"]!.AsArray();
        Assert.Equal(["stored", "stored", "stored", "rejected", "stored"], results.Select(one => (string)one!["outcome"]!));
        Assert.Equal("unknown_user", (string?)results[3]!["code"]);
        Assert.Equal(3, results.Select(one => (string?)one!["clientMessageId"]).Where(id => id!.StartsWith("m-2.", StringComparison.Ordinal)).Distinct().Count());

        (_, body) = await nodes.CallAsync(HttpMethod.Post, "messages", new { messages });
        Assert.Equal(["duplicate", "duplicate", "duplicate"], body["results"]!.AsArray().Take(3).Select(one => (string)one!["outcome"]!));
    }

    [Fact]
    public async Task AMessageToEverybodyReachesTheSessionsOfBothNodes()
    {
        await using var one = await nodes.North.ConnectAsync("all-1", reads: false);
        await using var two = await nodes.South.ConnectAsync("all-2", reads: false);
        var (status, body) = await nodes.CallAsync(HttpMethod.Post, "messages/all", new { senderId = "$office", content = new { text = "to all" } });
        Assert.Equal(200, status);
        Assert.True((int)body["sessions"]! >= 2, body.ToJsonString());
        Assert.Equal("to all", await ReadSignalAsync(one));
        Assert.Equal("to all", await ReadSignalAsync(two));

        static async Task<string> ReadSignalAsync(ImClient client)
        {
            using var timeout = new CancellationTokenSource(Limit);
            await foreach (var item in client.ReadAsync(timeout.Token))
            {
                if (item is ImSignalEvent signal)
                {
                    return signal.Signal.Message.Content.Text;
                }
            }

            return "nothing";
        }
    }

    [Fact]
    public async Task AGroupIsShownWithItsMembersPageByPage()
    {
        var groups = nodes.South.Services.GetRequiredService<IImGroups>();
        await groups.CreateAsync(new NewGroup { GroupId = "choir/1", Info = new Im.Model.GroupInfo("<b>Choir</b>"), ActorId = "$test", MemberIds = ["c1", "c2", "c3"] });
        var group = await nodes.GetAsync("groups/choir%2F1");
        Assert.Equal(("<b>Choir</b>", 3, 1), ((string?)group["info"]!["name"], (int)group["memberCount"]!, (long)group["head"]!));
        var page = await nodes.GetAsync("groups/choir%2F1/members?limit=2");
        Assert.Equal(["c1", "c2"], page["userIds"]!.AsArray().Select(id => (string)id!));
        page = await nodes.GetAsync($"groups/choir%2F1/members?limit=2&after={page["next"]}");
        Assert.Equal(["c3"], page["userIds"]!.AsArray().Select(id => (string)id!));
        Assert.Null(page["next"]);
        Assert.Equal(404, (await nodes.CallAsync(HttpMethod.Get, "groups/none")).Status);
        Assert.Equal(404, (await nodes.CallAsync(HttpMethod.Get, "groups/none/members")).Status);
    }

    [Fact]
    public async Task TheSameIsThereInCSharp()
    {
        await using var device = await nodes.South.ConnectAsync("sharp");
        var admin = nodes.North.Services.GetRequiredService<IImAdmin>();
        var page = await admin.ListConnectionsAsync(new AdminConnectionFilter { UserId = "sharp" });
        var connection = Assert.Single(page.Connections);
        Assert.Equal("south", connection.Node);
        Assert.NotNull(await admin.GetConnectionAsync("south", connection.ConnectionId));
        Assert.True(await admin.DisconnectAsync("south", connection.ConnectionId));
        Assert.False(await admin.DisconnectAsync("west", "1"));
        await Assert.ThrowsAsync<ArgumentException>(async () => await admin.DisconnectAsync("south", "1", ImCloseCode.Slow));
    }
}
