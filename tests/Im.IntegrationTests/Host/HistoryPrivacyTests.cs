using Im.IntegrationTests.Support;
using Im.Model;
using Im.Protocol;

namespace Im.IntegrationTests.Host;

/// <summary>What a client learns about conversations of others: nothing, not even that they exist.</summary>
public sealed class HistoryPrivacyTests
{
    [Theory]
    [InlineData("d:5:alice:cid")]
    [InlineData("d:4:anna:cid")]
    [InlineData("o:cid")]
    [InlineData("o:anna")]
    public async Task WhetherOthersHaveTalkedIsNotTold(string conversationId)
    {
        await using var server = await TestServer.StartAsync();
        await server.Im.Messages.SendAsync(new OutgoingMessage { SenderId = "alice", ToUserId = "cid", Content = MessageContent.FromText("psst") });
        await server.Im.Conversations.MarkReadAsync("cid", "d:5:alice:cid", new(1));
        var (bob, _) = await WireClient.SignInAsync(server.TcpEndpoint, "bob");
        await bob.AskForErrorAsync(
            new ClientPacket { Sync = new Protocol.Sync { Conversation = new SyncConversation { ConversationId = conversationId } } }, ImErrorCode.NotAMember);
        await bob.DisposeAsync();
    }
}
