using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Model;
using Im.Protocol;

namespace Im.IntegrationTests;

public sealed class FirstMessageTests
{
    [Fact]
    public async Task AMessageReachesTheOtherUserAndTheSendersOtherDevice()
    {
        await using var server = await TestServer.StartAsync();
        var (alice, _) = await WireClient.SignInAsync(server.TcpEndpoint, "alice");
        var (aliceToo, _) = await WireClient.SignInAsync(server.TcpEndpoint, "alice", "d2");
        var (bob, signedIn) = await WireClient.SignInAsync(server.TcpEndpoint, "bob");
        Assert.True(signedIn.Reset);

        await alice.WriteAsync(new ClientPacket
        {
            Send = new Send { ClientMessageId = "m1", UserId = "bob", Content = new Content { ContentType = "text", Text = "hello" } },
        });

        var ack = (await alice.ReadUntilAsync(ServerPacket.PacketOneofCase.SendAck)).SendAck;
        Assert.Equal(SendResult.Stored, ack.Result);
        Assert.Equal(1, ack.ConversationSeq);
        foreach (var device in new[] { alice, aliceToo, bob })
        {
            var push = (await device.ReadUntilAsync(ServerPacket.PacketOneofCase.Push)).Push;
            Assert.Equal(1, push.FirstInboxSeq);
            var entry = Assert.Single(push.Entries);
            Assert.Equal("hello", entry.Content.Text);
            Assert.Equal(ack.ConversationId, entry.ConversationId);
            Assert.Equal("m1", entry.ClientMessageId);
            await device.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("write")]
    [InlineData("read")]
    public async Task AGroupsMessagesReachItsMembersWithEitherFanout(string fanout)
    {
        await using var server = await TestServer.StartAsync();
        var (alice, _) = await WireClient.SignInAsync(server.TcpEndpoint, "alice");
        var (bob, _) = await WireClient.SignInAsync(server.TcpEndpoint, "bob");
        var group = await server.Im.Groups.CreateAsync(
            new NewGroup { GroupId = "g", Info = new Model.GroupInfo("G"), MemberIds = ["alice", "bob"], ActorId = "alice", Fanout = fanout });
        Assert.Equal(fanout, group.Fanout);

        for (var i = 1; i <= 3; i++)
        {
            await alice.WriteAsync(new ClientPacket
            {
                Send = new Send { ClientMessageId = $"m{i}", ConversationId = "g:g", Content = new Content { ContentType = "text", Text = $"hello {i}" } },
            });
        }

        var texts = new List<string>();
        var inbox = 0L;
        while (texts.Count < 3)
        {
            var push = (await bob.ReadUntilAsync(ServerPacket.PacketOneofCase.Push)).Push;
            if (push.FirstInboxSeq > 0)
            {
                Assert.Equal(inbox + 1, push.FirstInboxSeq);
                inbox += push.Entries.Count;
            }
            else
            {
                Assert.Equal("g:g", push.ConversationId);
                Assert.Equal(texts.Count + 2, push.FirstConversationSeq);
            }

            texts.AddRange(push.Entries.Where(entry => entry.Content is not null).Select(entry => entry.Content.Text));
        }

        Assert.Equal(["hello 1", "hello 2", "hello 3"], texts);
        Assert.Equal(fanout == "write" ? 4 : 1, inbox);
        await alice.DisposeAsync();
        await bob.DisposeAsync();
    }
}
