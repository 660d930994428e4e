using Im.IntegrationTests.Support;
using Im.Model;
using Im.Protocol;
using GroupInfo = Im.Model.GroupInfo;

namespace Im.IntegrationTests.Host;

/// <summary>What the host's own code can send, and what it is told.</summary>
public sealed class MessagesTests
{
    [Fact]
    public async Task AMessageOfAUserAndOfTheSystemReachesTheUser()
    {
        await using var server = await TestServer.StartAsync();
        var (bob, _) = await WireClient.SignInAsync(server.TcpEndpoint, "bob");

        var fromAlice = await server.Im.Messages.SendAsync(Message("alice", "bob", "hi"));
        var fromSystem = await server.Im.Messages.SendAsync(Message("$orders", "bob", "shipped"));

        Assert.Equal((ImSendOutcome.Stored, 1L), (fromAlice.Outcome, fromAlice.Seq.Value));
        Assert.Equal(ImSendOutcome.Stored, fromSystem.Outcome);
        Assert.NotEqual(fromAlice.ConversationId, fromSystem.ConversationId);
        Assert.Equal(["hi", "shipped"], await ReadTextsAsync(bob, 2));
        await bob.DisposeAsync();
    }

    [Fact]
    public async Task ManyMessagesAreSentInOrderAndOneRefusalDoesNotStopTheOthers()
    {
        await using var server = await TestServer.StartAsync();
        var results = await server.Im.Messages.SendAsync(
        [
            Message("alice", "bob", "1"),
            Message("alice", "nobody", "2"),
            Message("nobody", "bob", "3"),
            Message("$", "bob", "4"),
            Message("alice", "bob", ""),
            Message("alice", "bob", "6") with { ConversationId = "g:x" },
            Message("alice", "$orders", "7"),
            Message("alice", "bob", "8"),
        ]);
        Assert.Equal(
            [
                ImErrorCode.None, ImErrorCode.UnknownUser, ImErrorCode.UnknownUser, ImErrorCode.InvalidArgument,
                ImErrorCode.EmptyBody, ImErrorCode.InvalidArgument, ImErrorCode.UnknownUser, ImErrorCode.None,
            ],
            results.Select(result => result.Code));
        Assert.Equal((1, 2), (results[0].Seq.Value, results[7].Seq.Value));
        Assert.Equal(ImErrorCode.UnknownUser, Assert.Throws<ImException>(() => results[1].EnsureAccepted()).Code);
    }

    [Fact]
    public async Task TheSameClientMessageIdIsStoredOnce()
    {
        await using var server = await TestServer.StartAsync();
        var message = Message("alice", "bob", "once") with { ClientMessageId = "id" };
        var first = await server.Im.Messages.SendAsync(message);
        var second = await server.Im.Messages.SendAsync(message);
        var other = await server.Im.Messages.SendAsync(message with { Content = MessageContent.FromText("other") });
        Assert.Equal((ImSendOutcome.Duplicate, first.Seq, first.TimeMs), (second.Outcome, second.Seq, second.TimeMs));
        Assert.Equal(ImErrorCode.ClientIdReused, other.Code);
        Assert.Single(await server.Im.Conversations.ReadHistoryAsync("bob", first.ConversationId));
    }

    [Fact]
    public async Task ANonPersistentMessageIsASignalAndIsStoredNowhere()
    {
        await using var server = await TestServer.StartAsync();
        var (bob, _) = await WireClient.SignInAsync(server.TcpEndpoint, "bob");
        var result = await server.Im.Messages.SendAsync(Message("alice", "bob", "typing") with { NonPersistent = true });
        Assert.Equal((ImSendOutcome.Relayed, 0L), (result.Outcome, result.Seq.Value));
        var signal = (await bob.ReadUntilAsync(ServerPacket.PacketOneofCase.Signal)).Signal;
        Assert.Equal(("typing", "alice", 0L), (signal.Message.Content.Text, signal.Message.SenderId, signal.Message.ConversationSeq));
        Assert.Empty(await server.Im.Conversations.ListAsync("bob"));
        await bob.DisposeAsync();
    }

    [Fact]
    public async Task AnySortOfContentPassesThroughUntouched()
    {
        await using var server = await TestServer.StartAsync();
        var contents = new[]
        {
            MessageContent.FromText("héllo 群 😀", "bob", MessageContent.MentionEveryone),
            MessageContent.Face("smile"),
            MessageContent.Voice("/v.ogg", TimeSpan.FromSeconds(2)),
            MessageContent.Image("/i.png", 3, 4),
            MessageContent.File("/f.pdf", "f.pdf", 5),
            MessageContent.Location(52.5, 13.4, "Berlin"),
            MessageContent.Command("ring"),
            MessageContent.Custom("{}", new byte[] { 0, 255 }),
            new MessageContent { ContentType = "x-our-own/2", Data = new byte[] { 1 } },
        };
        await server.Im.Messages.SendAsync([.. contents.Select(content => Message("alice", "bob", "") with { Content = content })]);
        var history = await server.Im.Conversations.ReadHistoryAsync("bob", ConversationId.Direct("alice", "bob"));
        Assert.Equal(contents.Length, history.Count);
        foreach (var (expected, actual) in contents.Zip(history.Select(entry => entry.Content!)))
        {
            Assert.Equal((expected.ContentType, expected.Text), (actual.ContentType, actual.Text));
            Assert.Equal(expected.Data.ToArray(), actual.Data.ToArray());
            Assert.Equal(expected.Mentions.AsEnumerable(), actual.Mentions.AsEnumerable());
        }

        Assert.Equal("""{"url":"/i.png","width":3,"height":4}""", history[3].Content!.Text);
    }

    private static OutgoingMessage Message(string sender, string to, string text) =>
        new() { SenderId = sender, ToUserId = to, Content = MessageContent.FromText(text) };

    private static async Task<List<string>> ReadTextsAsync(WireClient client, int count)
    {
        var texts = new List<string>();
        while (texts.Count < count)
        {
            texts.AddRange((await client.ReadUntilAsync(ServerPacket.PacketOneofCase.Push)).Push.Entries.Select(entry => entry.Content.Text));
        }

        return texts;
    }
}
