using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Model;
using Im.Protocol;
using Im.Timelines;
using GroupInfo = Im.Model.GroupInfo;

namespace Im.IntegrationTests.Host;

/// <summary>Conversations, unread counts and read marks over the host's API.</summary>
public sealed class ConversationsTests
{
    // Trap 23: unread never counts own messages and is the same on every device.
    [Fact]
    public async Task UnreadIsExactAndOwnMessagesNeverCount()
    {
        await using var server = await TestServer.StartAsync();
        var conversation = ConversationId.Direct("alice", "bob");
        await SendAsync(server, "alice", "bob", 3);
        Assert.Equal((3L, 0L), await UnreadAsync(server, conversation));
        Assert.Equal(1, await server.Im.Conversations.MarkReadAsync("bob", conversation, new ConversationSeq(2)));
        Assert.Equal(1, await server.Im.Conversations.MarkReadAsync("bob", conversation, new ConversationSeq(1)));
        await SendAsync(server, "bob", "alice", 2);
        Assert.Equal((0L, 2L), await UnreadAsync(server, conversation));
        Assert.Equal(0, await server.Im.Conversations.MarkReadAsync("alice", conversation, new ConversationSeq(long.MaxValue)));
        Assert.Equal(5, (await server.Im.Conversations.GetAsync("alice", conversation))!.ReadSeq.Value);
    }

    [Fact]
    public async Task AReadMarkReachesTheUsersOtherDevicesAsAnEntry()
    {
        await using var server = await TestServer.StartAsync();
        await SendAsync(server, "alice", "bob", 1);
        var conversation = ConversationId.Direct("alice", "bob");
        var (phone, _) = await WireClient.SignInAsync(server.TcpEndpoint, "bob", "phone");
        var (laptop, _) = await WireClient.SignInAsync(server.TcpEndpoint, "bob", "laptop");
        var reply = await phone.AskAsync(new ClientPacket { MarkRead = new MarkRead { ConversationId = conversation, ConversationSeq = 1 } });
        Assert.Equal((1L, 0L), (reply.MarkedRead.ConversationSeq, reply.MarkedRead.Unread));
        var entry = Assert.Single((await laptop.ReadUntilAsync(ServerPacket.PacketOneofCase.Push)).Push.Entries);
        Assert.Equal(("o:bob", conversation, 1L), (entry.ConversationId, entry.ReadMarkMoved.ConversationId, entry.ReadMarkMoved.ConversationSeq));
        await phone.DisposeAsync();
        await laptop.DisposeAsync();
    }

    [Fact]
    public async Task AListIsPagedAndShowsWhatAUserSees()
    {
        await using var server = await TestServer.StartAsync();
        await server.Im.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new GroupInfo("G"), MemberIds = ["bob", "cid"], ActorId = "bob" });
        await SendAsync(server, "alice", "bob", 1);
        await SendAsync(server, "$news", "bob", 2);
        var all = await server.Im.Conversations.ListAsync("bob");
        Assert.Equal(all.Select(one => one.ConversationId).Order(StringComparer.Ordinal), all.Select(one => one.ConversationId));
        var paged = new List<string>();
        for (string? after = null; await server.Im.Conversations.ListAsync("bob", after, 1) is { Count: > 0 } page; after = page[0].ConversationId)
        {
            paged.Add(page[0].ConversationId);
        }

        Assert.Equal(all.Select(one => one.ConversationId), paged);
        Assert.Equal(["alice", "$news", null], all.Select(one => one.PeerId).OrderByDescending(peer => peer, StringComparer.Ordinal));
        Assert.Equal((2, "G"), all.Where(one => one.Group is not null).Select(one => (one.MemberCount, one.Group!.Name)).Single());
        Assert.Equal(2, all.Single(one => one.PeerId == "$news").Unread);
        Assert.Equal("2", all.Single(one => one.PeerId == "$news").LastEntry!.Content!.Text);
        Assert.Equal(ImErrorCode.NotAMember, (await Assert.ThrowsAsync<ImException>(() => server.Im.Conversations.MarkReadAsync("cid", ConversationId.Direct("alice", "bob"), new ConversationSeq(1)).AsTask())).Code);
    }

    private static async Task<(long Bob, long Alice)> UnreadAsync(TestServer server, string conversationId) => (
        (await server.Im.Conversations.GetAsync("bob", conversationId))!.Unread, (await server.Im.Conversations.GetAsync("alice", conversationId))!.Unread);

    private static async Task SendAsync(TestServer server, string sender, string to, int count)
    {
        var results = await server.Im.Messages.SendAsync(
            [.. Enumerable.Range(1, count).Select(i => new OutgoingMessage { SenderId = sender, ToUserId = to, Content = MessageContent.FromText($"{i}") })]);
        Assert.All(results, result => result.EnsureAccepted());
    }
}
