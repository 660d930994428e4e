using Im.IntegrationTests.Support;
using Im.Model;
using Im.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.Host;

/// <summary>Presence and signals over real sockets.</summary>
public sealed class PresenceTests
{
    private static readonly string Direct = ConversationId.Direct("alice", "bob");

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.WebSocket)]
    [InlineData(Wire.Json)]
    public async Task WhoMaySeeIsToldWhoComesAndGoesAndWhoTypes(Wire wire)
    {
        await using var server = await TestServer.StartAsync(build: im => im.UsePresence(options =>
        {
            options.OfflineGrace = TimeSpan.FromMilliseconds(50);
            options.NotifyInterval = options.PublishInterval = TimeSpan.FromMilliseconds(20);
        }));
        await using var alice = await server.SignInAsync(wire, "alice");
        await server.Im.Messages.SendAsync(new OutgoingMessage { SenderId = "alice", ToUserId = "bob", Content = MessageContent.FromText("hi") }).AsTask().InTimeAsync();

        await alice.AskForErrorAsync(new ClientPacket { SubscribePresence = new SubscribePresence { UserIds = { "carol" } } }, ImErrorCode.PresenceForbidden);
        await alice.AskForErrorAsync(new ClientPacket { SubscribePresence = new SubscribePresence() }, ImErrorCode.InvalidArgument);
        var subscribed = (await alice.AskAsync(new ClientPacket { SubscribePresence = new SubscribePresence { UserIds = { "bob", "carol" } } })).PresenceSubscribed;
        var state = Assert.Single(subscribed.Users);
        Assert.Equal(("bob", false), (state.UserId, state.IsOnline));

        await using (var bob = await server.SignInAsync(wire, "bob"))
        {
            var changed = Assert.Single((await alice.WaitForAsync(ServerPacket.PacketOneofCase.PresenceChanged)).PresenceChanged.Users);
            Assert.Equal(("bob", true), (changed.UserId, changed.IsOnline));

            var typing = new SendSignal { UserId = "alice", Type = "typing", Data = "\u2026" };
            Assert.True((await bob.AskAsync(new ClientPacket { SendSignal = typing })).SignalSent.IsRelayed);
            var signal = (await alice.WaitForAsync(ServerPacket.PacketOneofCase.Signal)).Signal.Sender;
            Assert.Equal((Direct, "bob", "d1", "typing", "\u2026"), (signal.ConversationId, signal.SenderId, signal.SenderDeviceId, signal.Type, signal.Data));
        }

        var gone = Assert.Single((await alice.WaitForAsync(ServerPacket.PacketOneofCase.PresenceChanged)).PresenceChanged.Users);
        Assert.Equal(("bob", false), (gone.UserId, gone.IsOnline));
        Assert.True(gone.LastSeenMs > 0);
        Assert.NotNull((await alice.AskAsync(new ClientPacket { UnsubscribePresence = new UnsubscribePresence() })).PresenceUnsubscribed);
        await server.Im.Presence.SignalAllAsync(MessageContent.Command("update")).AsTask().InTimeAsync();
        Assert.Equal("update", (await alice.WaitForAsync(ServerPacket.PacketOneofCase.Signal)).Signal.Message.Content.Text);
        Assert.Empty(server.Logs.Errors);
    }
}
