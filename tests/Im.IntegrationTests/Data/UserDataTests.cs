using Im.Data;
using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection;
using GroupInfo = Im.Model.GroupInfo;

namespace Im.IntegrationTests.Data;

/// <summary>Exporting and erasing one user, and importing old history, with live clients.</summary>
public sealed class UserDataTests
{
    private static readonly string Direct = ConversationId.Direct("ann", "bob");

    [Fact]
    public async Task AnExportHasDevicesMarksAndWhatTheUserMayRead()
    {
        await using var server = await StartAsync();
        await server.Im.Groups.CreateAsync(
            new NewGroup { GroupId = "g", Info = new GroupInfo("g"), MemberIds = ["ann", "bob", "cid"], ActorId = "ann" });
        await SendAsync(server, "ann", "hello", Direct);
        await SendAsync(server, "cid", "in the group", "g:g");
        await server.Im.Groups.RemoveMembersAsync("g", ["bob"], "ann");
        await SendAsync(server, "cid", "not for bob", "g:g");
        await (await server.SignInAsync(Wire.Tcp, "bob", "phone")).DisposeAsync();
        await server.Im.Conversations.MarkReadAsync("bob", Direct, new ConversationSeq(1));

        var items = await server.Im.Data.ExportUserAsync("bob").ToListAsync();
        Assert.Equal("phone", items.OfType<ImExportItem.Device>().Single().Value.DeviceId);
        var conversations = items.OfType<ImExportItem.Conversation>().ToArray();
        Assert.Equal([Direct, "g:g", "o:bob"], conversations.Select(conversation => conversation.ConversationId));
        Assert.Equal((1L, 0L), (conversations[0].Current!.ReadSeq.Value, conversations[0].Current!.Unread));
        Assert.Equal(new Membership(new(1), new(3)), Assert.Single(conversations[1].Stays));
        Assert.Null(conversations[1].Current);
        Assert.Equal(["hello", "in the group"], Texts(items));
        Assert.Equal(EntryKind.ReadMarkMoved, ((ImExportItem.Entry)items[^1]).Value.Kind);
    }

    [Fact]
    public async Task AnErasedUsersMessagesAreGoneForEverybodyAndNothingElseMoves()
    {
        // Bites of two, so that it takes several.
        await using var server = await StartAsync();
        await using var bob = await server.SignInAsync(Wire.Json, "bob");
        await using var ann = await server.SignInAsync(Wire.Tcp, "ann");
        for (var i = 0; i < 5; i++)
        {
            await SendAsync(server, "ann", $"ann {i}", Direct);
            await SendAsync(server, "bob", $"bob {i}", Direct);
        }

        await SendAsync(server, "ann", "last", Direct);
        var before = await server.Im.Conversations.GetAsync("bob", Direct);
        Assert.Equal(6, await server.Im.Data.EraseUserAsync("ann"));
        await ann.ReadToCloseAsync(ImCloseCode.Disconnected);
        Assert.Equal(0, await server.Im.Data.EraseUserAsync("ann"));

        // A live device that reads history, and one that catches up from what the server remembers.
        await bob.PingAsync();
        var page = (await bob.AskAsync(new ClientPacket
        {
            Sync = new Protocol.Sync { Conversation = new SyncConversation { ConversationId = Direct } },
        })).SyncPage;
        AssertErased(page.Entries);
        var (late, signedIn) = await WireClient.SignInAsync(server.TcpEndpoint, "bob", "late", new SignIn { Generation = await GenerationAsync(server) });
        Assert.False(signedIn.Reset);
        var pushed = new List<Entry>();
        while (pushed.Count < 11)
        {
            pushed.AddRange((await late.ReadUntilAsync(ServerPacket.PacketOneofCase.Push)).Push.Entries);
        }

        AssertErased(pushed);
        await late.DisposeAsync();
        var after = await server.Im.Conversations.GetAsync("bob", Direct);
        Assert.Equal((before!.Unread, before.Head), (after!.Unread, after.Head));
        Assert.True(after.LastEntry!.IsGone);
        var items = await server.Im.Data.ExportUserAsync("ann").ToListAsync();
        Assert.Empty(items.OfType<ImExportItem.Device>());
        Assert.DoesNotContain(Texts(items), text => text.StartsWith("ann", StringComparison.Ordinal));
        Assert.Equal(5, Texts(items).Count(text => text.StartsWith("bob", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("write")]
    [InlineData("read")]
    public async Task ImportedHistoryIsReadWithItsTimesAndUnreadForNobody(string fanout)
    {
        await using var server = await StartAsync();
        await server.Im.Groups.CreateAsync(new NewGroup
        {
            GroupId = "g",
            Info = new GroupInfo("g"),
            MemberIds = ["ann", "bob", "left"],
            ActorId = "ann",
            Fanout = fanout,
        });
        await server.Im.Groups.RemoveMembersAsync("g", ["left"], "ann");
        await SendAsync(server, "ann", "new", "g:g");
        await using var bob = await server.SignInAsync(Wire.Tcp, "bob");
        var unread = (await server.Im.Conversations.GetAsync("bob", "g:g"))!.Unread;

        ImportedMessage[] old =
        [
            Old("ann", "1", 1_000), Old("bob", "2", 2_000), Old("left", "3", 3_000), Old("$old", "4", 4_000), Old("stranger", "5", 5_000),
            Old("ann", "6", long.MaxValue), Old("ann", "7", 7_000),
        ];
        var results = await server.Im.Data.ImportAsync("g:g", old);
        Assert.Equal(
            [ImErrorCode.None, ImErrorCode.None, ImErrorCode.None, ImErrorCode.None, ImErrorCode.NotAMember, ImErrorCode.InvalidArgument, ImErrorCode.None],
            results.Select(result => result.Code));
        var again = await server.Im.Data.ImportAsync("g:g", old);
        Assert.Equal(ImSendOutcome.Duplicate, again[0].Outcome);
        Assert.Equal(results[0].Seq, again[0].Seq);

        var history = (await server.Im.Conversations.ReadHistoryAsync("bob", "g:g")).Where(entry => entry.Kind == EntryKind.Message);
        Assert.Equal(
            [("new", 0L), ("1", 1_000L), ("2", 2_000L), ("3", 3_000L), ("4", 4_000L), ("7", 7_000L)],
            history.Select(entry => (entry.Content!.Text, entry.Content.Text == "new" ? 0 : entry.TimeMs)));
        Assert.Equal(unread, (await server.Im.Conversations.GetAsync("bob", "g:g"))!.Unread);

        // Whoever follows the conversation's own timeline has no hole; nothing came through the inbox.
        await SendAsync(server, "ann", "newest", "g:g");
        var texts = new List<string>();
        while (!texts.Contains("newest"))
        {
            var push = (await bob.WaitForAsync(ServerPacket.PacketOneofCase.Push)).Push;
            Assert.True(push.FirstInboxSeq == 0 || fanout == "write");
            texts.AddRange(push.Entries.Select(entry => entry.Content.Text));
        }

        Assert.Equal(fanout == "write" ? ["newest"] : ["1", "2", "3", "4", "7", "newest"], texts);
        Assert.Equal(1, await server.Im.Data.EraseUserAsync("left"));
    }

    [Fact]
    public async Task AnImportBeginsADirectConversation()
    {
        await using var server = await StartAsync();
        var results = await server.Im.Data.ImportAsync(Direct, [Old("ann", "1", 1_000), Old("bob", "2", 2_000)]);
        Assert.All(results, result => result.EnsureAccepted());
        foreach (var user in new[] { "ann", "bob" })
        {
            var conversation = Assert.Single(await server.Im.Conversations.ListAsync(user));
            Assert.Equal((2L, 0L, 2), (conversation.Head.Value, conversation.Unread, conversation.MemberCount));
        }

        await SendAsync(server, "ann", "now", Direct);
        Assert.Equal(1, (await server.Im.Conversations.GetAsync("bob", Direct))!.Unread);
        await Assert.ThrowsAsync<ImException>(() => server.Im.Data.ImportAsync("g:none", []).AsTask());
        await Assert.ThrowsAsync<ImException>(() => server.Im.Data.ImportAsync(ConversationId.Direct("ann", "nobody"), []).AsTask());
    }

    private static void AssertErased(IEnumerable<Entry> entries) => Assert.All(
        entries.Where(entry => entry.SenderId is "ann" or "bob"),
        entry => Assert.Equal((entry.SenderId == "ann", entry.SenderId == "bob"), (entry.Gone, entry.Content is not null)));

    private static async Task<string> GenerationAsync(TestServer server)
    {
        var (client, signedIn) = await WireClient.SignInAsync(server.TcpEndpoint, "bob", "generation");
        await client.DisposeAsync();
        return signedIn.Generation;
    }

    private static ImportedMessage Old(string sender, string text, long timeMs) =>
        new() { SenderId = sender, ClientMessageId = text, TimeMs = timeMs, Content = MessageContent.FromText(text) };

    private static IEnumerable<string> Texts(IEnumerable<ImExportItem> items) =>
        items.OfType<ImExportItem.Entry>().Where(entry => entry.Value.Content is not null).Select(entry => entry.Value.Content!.Text);

    private static async Task SendAsync(TestServer server, string sender, string text, string conversationId) => (await server.Im.Messages.SendAsync(
        new OutgoingMessage { SenderId = sender, ConversationId = conversationId, Content = MessageContent.FromText(text) })).EnsureAccepted();

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(build: im => im.UseRetention(options =>
        (options.MaxRowsPerBite, options.PauseBetweenBites) = (2, TimeSpan.FromMilliseconds(1))));
}
