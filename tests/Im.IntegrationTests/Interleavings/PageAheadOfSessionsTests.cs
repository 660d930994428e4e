using Im.Diagnostics;
using Im.Fanout;
using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Messaging;
using Im.Model;
using Im.Protocol;

namespace Im.IntegrationTests.Interleavings;

/// <summary>The store shows a commit before this node's sessions are told of it: found by the seeded model test of delivery.</summary>
public sealed class PageAheadOfSessionsTests
{
    [Fact]
    public async Task APageReadAheadOfALeaveEndsBeforeIt()
    {
        await using var server = await TestServer.StartAsync(options => options.RecentEntriesBytes = 0);
        var group = (await server.Im.Groups.CreateAsync(
            new NewGroup { GroupId = "g", Info = new Model.GroupInfo("g"), MemberIds = ["alice", "bob"], ActorId = "$host", Fanout = FanoutNames.Read }))
            .ConversationId;
        var (first, signedIn) = await WireClient.SignInAsync(server.TcpEndpoint, "alice");
        var start = (await first.ReadUntilAsync(ServerPacket.PacketOneofCase.Snapshot)).Snapshot;
        await first.DisposeAsync();
        await SayAsync(server, group);
        await SayAsync(server, group);

        using var read = new Gate(server.Checkpoints, Checkpoint.SignInRead);
        var signingIn = WireClient.SignInAsync(server.TcpEndpoint, "alice", signIn: new SignIn
        {
            Generation = signedIn.Generation,
            InboxCursor = start.InboxSeq,
            ConversationCursors = { new ConversationCursor { ConversationId = group, ConversationSeq = 1 } },
        });
        await read.ReachedAsync();
        using var committed = new Gate(server.Checkpoints, Checkpoint.Committed);
        var removing = server.Im.Groups.RemoveMembersAsync("g", ["alice"], "$host").AsTask();
        await committed.ReachedAsync();
        read.Release();
        var (client, _) = await signingIn;

        var leave = (await client.ReadUntilAsync(ServerPacket.PacketOneofCase.Push)).Push;
        Assert.Equal((start.InboxSeq + 1, 4), (leave.FirstInboxSeq, Assert.Single(leave.Entries).ConversationSeq));
        var page = (await client.ReadUntilAsync(ServerPacket.PacketOneofCase.Push)).Push;
        Assert.Equal((group, 2, 2), (page.ConversationId, page.FirstConversationSeq, page.Entries.Count));
        committed.Release();
        await removing;
        await client.DisposeAsync();
    }

    private static async Task SayAsync(TestServer server, string group) =>
        (await server.Im.Messages.SendAsync(
            new OutgoingMessage { SenderId = "bob", ConversationId = group, Content = MessageContent.FromText("hello") })).EnsureAccepted();
}
