using System.Text.Json.Nodes;
using Im.Admin.Tests.Support;
using Im.Cluster;

namespace Im.Admin.Tests;

/// <summary>A node that has a lease and does not answer: frozen, or cut off.</summary>
public sealed class SilentNodeTests(TwoNodes nodes) : IClassFixture<TwoNodes>
{
    [Fact]
    public async Task ANodeThatDoesNotAnswerIsListedAsSuchAndMakesNothingElseFail()
    {
        var directory = new InMemorySessionDirectory(nodes.Cluster);
        var frozen = new NodeDescription("frozen", "1", "0.0.0");
        await directory.JoinAsync(frozen, TimeSpan.FromMinutes(5), default);
        var epoch = (await directory.JoinAsync(frozen, TimeSpan.FromMinutes(5), default)).Epoch;
        await using var device = await nodes.South.ConnectAsync("fritz");
        JsonArray seen = [];
        await Eventually.Async(async () => (seen = (await nodes.GetAsync("nodes"))["nodes"]!.AsArray()).Count == 3 ? "" : "The frozen node is not seen.");
        var node = seen.Single(one => (string?)one!["name"] == "frozen")!;
        Assert.Equal((false, "unknown", epoch), ((bool)node["answered"]!, (string?)node["health"], (long)node["epoch"]!));

        // Each waits for the frozen node, but not for each other.
        await Task.WhenAll(StatusAsync(), ConnectionsAsync(), ItselfAsync(), ToAllAsync(), TraceAsync());

        async Task StatusAsync()
        {
            var status = await nodes.GetAsync("status");
            Assert.Equal((2, "frozen"), (status["nodes"]!.AsArray().Count, (string?)status["silentNodes"]![0]));
        }

        async Task ConnectionsAsync()
        {
            var page = await nodes.GetAsync("connections?user=fritz");
            Assert.Equal((1, "frozen"), (page["connections"]!.AsArray().Count, (string?)page["silentNodes"]![0]));
        }

        async Task ItselfAsync()
        {
            var answers = await Task.WhenAll(nodes.CallAsync(HttpMethod.Get, "status?node=frozen"), nodes.CallAsync(HttpMethod.Delete, "connections/frozen/1"));
            Assert.All(answers, answer => Assert.Equal((503, "cluster_unavailable"), (answer.Status, (string?)answer.Body["title"])));
        }

        async Task ToAllAsync()
        {
            var (code, body) = await nodes.CallAsync(HttpMethod.Post, "messages/all", new { senderId = "$s", content = new { text = "x" } });
            Assert.Equal((200, "frozen"), (code, (string?)body["silentNodes"]![0]));
        }

        async Task TraceAsync()
        {
            await nodes.CallAsync(HttpMethod.Post, "messages", new { messages = new[] { new { senderId = "$s", toUserId = "freya", content = new { text = "x" }, clientMessageId = "f" } } });
            var trace = await nodes.GetAsync("trace?userId=freya&senderId=%24s&clientMessageId=f");
            Assert.Equal(("nodeDidNotAnswer", "frozen"), ((string?)trace["verdict"], (string?)trace["silentNodes"]![0]));
        }
    }
}
