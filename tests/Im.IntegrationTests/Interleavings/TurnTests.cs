using Im.Diagnostics;
using Im.Fanout;
using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Messaging;
using Im.Model;
using Im.Protocol;

namespace Im.IntegrationTests.Interleavings;

/// <summary>A session reads one timeline after the other; what happens to one of them in its turn does not cost the others theirs.</summary>
public sealed class TurnTests
{
    [Fact]
    public async Task TheOthersAreReadThoughTheOneInTurnGoesLiveMeanwhile()
    {
        await using var server = await TestServer.StartAsync(options => options.RecentEntriesBytes = 0);
        var ids = new List<string>();
        foreach (var id in new[] { "a", "b", "c" })
        {
            var group = new NewGroup { GroupId = id, Info = new Model.GroupInfo(id), MemberIds = ["alice", "bob"], ActorId = "$host", Fanout = FanoutNames.Read };
            ids.Add((await server.Im.Groups.CreateAsync(group)).ConversationId);
        }

        var (first, signedIn) = await WireClient.SignInAsync(server.TcpEndpoint, "alice");
        var start = (await first.ReadUntilAsync(ServerPacket.PacketOneofCase.Snapshot)).Snapshot;
        await server.Im.Groups.RemoveMembersAsync("a", ["alice"], "$host");
        var left = (await first.ReadUntilAsync(ServerPacket.PacketOneofCase.Push)).Push;
        await first.DisposeAsync();
        await SayAsync(server, ids[1]);
        await SayAsync(server, ids[2]);

        // The stub of "a" is in turn when the user comes back to that group.
        using var chosen = new Gate(server.Checkpoints, Checkpoint.PageChosen);
        var (client, _) = await WireClient.SignInAsync(server.TcpEndpoint, "alice", signIn: new SignIn
        {
            Generation = signedIn.Generation,
            InboxCursor = left.FirstInboxSeq,
            ConversationCursors = { ids.Select(id => new ConversationCursor { ConversationId = id, ConversationSeq = 1 }) },
        });
        await chosen.ReachedAsync();
        await server.Im.Groups.AddMembersAsync("a", ["alice"], "$host");
        chosen.Release();

        var missing = ids[1..];
        while (missing.Count > 0)
        {
            var push = (await client.ReadUntilAsync(ServerPacket.PacketOneofCase.Push)).Push;
            missing.Remove(push.ConversationId);
        }

        Assert.True(start.InboxSeq < left.FirstInboxSeq);
        await client.DisposeAsync();
    }

    private static async Task SayAsync(TestServer server, string group) =>
        (await server.Im.Messages.SendAsync(
            new OutgoingMessage { SenderId = "bob", ConversationId = group, Content = MessageContent.FromText("hello") })).EnsureAccepted();
}
