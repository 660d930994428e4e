using Im.Client;
using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection;
using GroupInfo = Im.Model.GroupInfo;

namespace Im.IntegrationTests.Retention;

/// <summary>What devices are told of what is no longer kept: a reset, a skip or a gone entry, never a wrong page.</summary>
public sealed class FloorTests
{
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private static readonly RetentionLimits NoInboxes = new() { EntriesPerInbox = 0 };
    private static readonly RetentionLimits LastTwo = new() { EntriesPerConversation = 2 };

    [Fact]
    public async Task ADeviceWhoseInboxCursorIsBelowTheFloorStartsAnew()
    {
        await using var server = await TestServer.StartAsync();
        await SendAsync(server, 5);
        var (first, start) = await WireClient.SignInAsync(server.TcpEndpoint, "bob");
        await first.DisposeAsync();
        await SendAsync(server, 5);
        await server.ExpireAsync(NoInboxes);

        var stale = new SignIn { Generation = start.Generation, InboxCursor = start.InboxHead };
        var (device, again) = await WireClient.SignInAsync(server.TcpEndpoint, "bob", signIn: stale);
        Assert.True(again.Reset);
        var snapshot = (await device.ReadAsync()).Snapshot;
        Assert.Equal((10L, 10L), (snapshot.InboxSeq, snapshot.Conversations.Single().Unread));
        Assert.Equal("9", snapshot.Conversations.Single().LastEntry.Content.Text);

        // One that is exactly at the floor goes on, and live entries follow.
        var (other, current) = await WireClient.SignInAsync(
            server.TcpEndpoint, "bob", "d2", new SignIn { Generation = start.Generation, InboxCursor = 10 });
        Assert.False(current.Reset);
        await SendAsync(server, 1);
        Assert.Equal(11, (await other.ReadUntilAsync(ServerPacket.PacketOneofCase.Push)).Push.FirstInboxSeq);
        Assert.Equal(11, (await device.ReadUntilAsync(ServerPacket.PacketOneofCase.Push)).Push.FirstInboxSeq);
        await device.DisposeAsync();
        await other.DisposeAsync();
    }

    [Fact]
    public async Task ALiveSessionThatTheFloorOvertakesSignsInAgainAndStartsAnew()
    {
        await using var server = await TestServer.StartAsync(options => options.RecentEntriesBytes = 0, TroubledStorage.Use);
        var storage = server.Services.GetRequiredService<TroubledStorage>();
        await using var bob = await TestDevice.ConnectAsync(server, "tcp", "bob");
        Assert.Equal(0, (await bob.NextAsync<ImResetEvent>()).InboxSeq);
        await FallBehindAsync(server, storage, TimelineKey.Inbox("bob"));
        await SendAsync(server, 5);
        await server.ExpireAsync(NoInboxes);
        storage.ComeBack();
        Assert.Equal(5, (await bob.NextAsync<ImResetEvent>()).InboxSeq);
        await SendAsync(server, 1);
        Assert.Equal(["5"], await bob.NextTextsAsync(1));
        Assert.Equal(2, bob.SignIns);
    }

    [Fact]
    public async Task ALiveSessionPassesOverWhatAConversationHasForgotten()
    {
        await using var server = await TestServer.StartAsync(options => options.RecentEntriesBytes = 0, TroubledStorage.Use);
        var storage = server.Services.GetRequiredService<TroubledStorage>();
        await CreateGroupAsync(server);
        var checker = new TimelineChecker("bob");
        await using var bob = await SignInAsync(server, checker);
        await FallBehindAsync(server, storage, TimelineKey.Conversation("g:g"));
        await SendAsync(server, 5, "g:g");
        await server.ExpireAsync(LastTwo);
        storage.ComeBack();
        while (checker.Cursors["g:g"] < 6)
        {
            checker.Take(await bob.ReadAsync());
        }

        Assert.Equal([5, 6], checker.Entries.Where(entry => entry.ConversationId == "g:g").Select(entry => entry.Seq).Order());
        await SendAsync(server, 1, "g:g");
        checker.Take(await bob.ReadUntilAsync(ServerPacket.PacketOneofCase.Push));
        Assert.Equal(7, checker.Cursors["g:g"]);
    }

    [Fact]
    public async Task ACursorBelowAConversationsFloorStartsAnew()
    {
        await using var server = await TestServer.StartAsync();
        await CreateGroupAsync(server);
        var checker = new TimelineChecker("bob");
        await (await SignInAsync(server, checker)).DisposeAsync();
        await SendAsync(server, 5, "g:g");
        await server.ExpireAsync(LastTwo);
        Assert.Equal(1, checker.Cursors["g:g"]);
        await using var bob = await SignInAsync(server, checker);
        Assert.Equal(6, checker.Cursors["g:g"]);
    }

    // Joined and forgotten while it was offline: the inbox still tells of the group, so there is no need to start anew.
    [Fact]
    public async Task ADeviceThatHasNotHeardOfAGroupYetPassesOverWhatItHasForgotten()
    {
        await using var server = await TestServer.StartAsync();
        var checker = new TimelineChecker("bob");
        await (await SignInAsync(server, checker)).DisposeAsync();
        await CreateGroupAsync(server);
        await SendAsync(server, 5, "g:g");
        await server.ExpireAsync(LastTwo);
        await using var bob = await WireClient.ConnectAsync(server.TcpEndpoint);
        await bob.WriteAsync(new ClientPacket { SignIn = checker.ToSignIn("d") });
        do
        {
            checker.Take(await bob.ReadAsync());
        }
        while (checker.Cursors.GetValueOrDefault("g:g") < 6 || checker.InboxCursor < 1);
        Assert.Equal([1, 5, 6], checker.Entries.Where(entry => entry.ConversationId == "g:g").Select(entry => entry.Seq).Order());
    }

    [Fact]
    public async Task HistoryEndsAtTheFloorAndUnreadAndMarksStayRight()
    {
        await using var server = await TestServer.StartAsync();
        await SendAsync(server, 10);
        Assert.Equal(6, await server.Im.Conversations.MarkReadAsync("bob", Direct, new ConversationSeq(4)));
        await server.ExpireAsync(LastTwo);

        Assert.Equal(["8", "9"], (await server.Im.Conversations.ReadHistoryAsync("bob", Direct)).Select(entry => entry.Content!.Text));
        Assert.Empty(await server.Im.Conversations.ReadHistoryAsync("bob", Direct, new ConversationSeq(9)));
        var (client, _) = await WireClient.SignInAsync(server.TcpEndpoint, "bob");
        var page = (await client.AskAsync(new ClientPacket
        {
            Sync = new Protocol.Sync { Conversation = new SyncConversation { ConversationId = Direct, AfterConversationSeq = 0 } },
        })).SyncPage;
        Assert.Equal((9L, 10L, false), (page.Floor, page.Head, page.HasMore));
        Assert.Equal([9L, 10L], page.Entries.Select(entry => entry.ConversationSeq));

        // The inbox still has its entries; those of the forgotten messages are gone.
        var inbox = (await client.AskAsync(new ClientPacket { Sync = new Protocol.Sync { Inbox = new SyncInbox() } })).SyncPage;
        Assert.Equal(Enumerable.Range(1, 10).Select(i => ((long)i, i < 9)), inbox.Entries.Where(entry => entry.ConversationId == Direct).Select(entry => (entry.ConversationSeq, entry.Gone)));

        Assert.Equal(6, (await server.Im.Conversations.GetAsync("bob", Direct))!.Unread);
        Assert.Equal(2, await server.Im.Conversations.MarkReadAsync("bob", Direct, new ConversationSeq(7)));
        Assert.Equal(1, await server.Im.Conversations.MarkReadAsync("bob", Direct, new ConversationSeq(9)));
        await client.DisposeAsync();
    }

    private static async Task FallBehindAsync(TestServer server, TroubledStorage storage, TimelineKey timeline)
    {
        storage.ReadsFail = new ImStorageException("The test's database is down.");
        foreach (var session in server.Connections.All.Select(connection => connection.Session!))
        {
            session.NoticeHead(timeline, long.MaxValue);
        }

        await Wait.ForAsync(() => server.Metrics["im.catch_up.retries"] > 0, "the session to be behind");
    }

    private static async Task<WireClient> SignInAsync(TestServer server, TimelineChecker checker)
    {
        var client = await WireClient.ConnectAsync(server.TcpEndpoint);
        await client.WriteAsync(new ClientPacket { SignIn = checker.ToSignIn("d") });
        var reply = await client.ReadAsync();
        Assert.True(reply.SignedIn.Reset);
        checker.Take(reply);
        checker.Take(await client.ReadAsync());
        return client;
    }

    private static async Task CreateGroupAsync(TestServer server) => await server.Im.Groups.CreateAsync(
        new NewGroup { GroupId = "g", Info = new GroupInfo("g"), MemberIds = ["ann", "bob"], ActorId = "ann", Fanout = "read" });

    // Texts go on counting over the calls for one server.
    private static async Task SendAsync(TestServer server, int count, string? conversationId = null)
    {
        var sent = (int)server.Metrics["im.sends stored"];
        var results = await server.Im.Messages.SendAsync(
        [
            .. Enumerable.Range(sent, count).Select(i => new OutgoingMessage
            {
                SenderId = "ann",
                ToUserId = conversationId is null ? "bob" : null,
                ConversationId = conversationId,
                Content = MessageContent.FromText($"{i}"),
            }),
        ]);
        Assert.All(results, result => result.EnsureAccepted());
    }
}
