using Im.Client;
using Im.Cluster;
using Im.Cluster.Wire;
using Im.Core.Tests.Cluster;
using Im.Groups;
using Im.Model;
using Im.Presence;
using Im.Protocol;
using Im.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Core.Tests.Presence;

/// <summary>Typing and the like, and signals for everybody, on two nodes.</summary>
public sealed class SignalTests : PresenceTest
{
    [Theory]
    [InlineData("write")]
    [InlineData("read")]
    public async Task ASignalReachesTheMembersOnAllNodesButNotItsConnection(string fanout)
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        await host.Server.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new("g"), ActorId = "ann", MemberIds = ["ann", "bob"], Fanout = fanout });
        var ann = await host.ConnectAsync("ann");
        var others = new[] { await host.ConnectAsync("ann", "laptop", node: second), await host.ConnectAsync("bob"), await host.ConnectAsync("bob", "laptop", node: second) };
        var stranger = await host.ConnectAsync("cyd", node: second);

        Assert.True(await ann.Client.SendSignalAsync(ImTarget.Conversation("g:g"), "typing", "…").WaitAsync(Limit));
        foreach (var device in others)
        {
            var signal = (await device.WaitForAsync<ImSignalEvent>(_ => true)).Signal.Sender;
            Assert.Equal(("g:g", "ann", "phone", "typing", "…"), (signal.ConversationId, signal.SenderId, signal.SenderDeviceId, signal.Type, signal.Data));
        }

        await host.Server.Presence.SendSignalAsync("g:g", "$bot", "thinking");
        foreach (var device in others)
        {
            await device.WaitForAsync<ImSignalEvent>(item => item.Signal.Sender.Type == "thinking");
        }

        Assert.Single(ann.Events.OfType<ImSignalEvent>());
        Assert.Empty(stranger.Events.OfType<ImSignalEvent>());
    }

    [Fact]
    public async Task OneTooManyIsDroppedAndTheNextWindowIsFree()
    {
        await using var host = await ImTestHost.StartAsync(im => im.UsePresence(options => options.MaxSignalTargets = 2)).WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        foreach (var userId in new[] { "bob", "cyd", "dan" })
        {
            await ann.SendTextAsync(userId, "hi").WaitAsync(Limit);
        }

        var sent = new List<bool>();
        for (var i = 0; i < 5; i++)
        {
            sent.Add(await ann.Client.SendSignalAsync(ImTarget.User("bob"), "typing").WaitAsync(Limit));
        }

        Assert.Equal([true, true, true, false, false], sent);
        Assert.True(await ann.Client.SendSignalAsync(ImTarget.User("cyd"), "typing").WaitAsync(Limit));
        Assert.False(await ann.Client.SendSignalAsync(ImTarget.User("dan"), "typing").WaitAsync(Limit));
        host.Time.Advance(TimeSpan.FromSeconds(4));
        Assert.True(await ann.Client.SendSignalAsync(ImTarget.User("dan"), "typing").WaitAsync(Limit));
        Assert.True(await ann.Client.SendSignalAsync(ImTarget.User("bob"), "typing").WaitAsync(Limit));
    }

    [Fact]
    public async Task WhoMayNotSendIsRefused()
    {
        await using var host = await ImTestHost.StartAsync(im => im.UsePresence(options => options.MaxSignalMembers = 2)).WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        await host.Server.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new("g"), ActorId = "bob", MemberIds = ["bob"] });
        await host.Server.Groups.CreateAsync(new NewGroup { GroupId = "big", Info = new("big"), ActorId = "ann", MemberIds = ["ann", "bob", "cyd"] });

        async Task Refused(ImErrorCode code, Func<Task> send) =>
            Assert.Equal(code, (await Assert.ThrowsAsync<ImClientException>(() => send().WaitAsync(Limit))).Code);

        await Refused(ImErrorCode.NotAMember, () => ann.Client.SendSignalAsync(ImTarget.Conversation("g:g"), "typing"));
        await Refused(ImErrorCode.UnknownConversation, () => ann.Client.SendSignalAsync(ImTarget.Conversation("g:none"), "typing"));
        await Refused(ImErrorCode.UnknownConversation, () => ann.Client.SendSignalAsync(ImTarget.User("cyd"), "typing"));
        await Refused(ImErrorCode.NotAMember, () => ann.Client.SendSignalAsync(ImTarget.Conversation(ConversationId.Direct("bob", "cyd")), "typing"));
        await Refused(ImErrorCode.UnknownConversation, () => ann.Client.SendSignalAsync(ImTarget.Conversation("o:bob"), "typing"));
        await Refused(ImErrorCode.InvalidArgument, () => ann.Client.SendSignalAsync(ImTarget.User("bob"), ""));
        await Refused(ImErrorCode.InvalidArgument, () => ann.Client.SendSignalAsync(ImTarget.User("bob"), new string('x', 65)));
        await Refused(ImErrorCode.InvalidArgument, () => ann.Client.SendSignalAsync(ImTarget.User("bob"), "typing", new string('ä', 513)));
        await Refused(ImErrorCode.RoomForbidden, () => ann.Client.SendSignalToRoomAsync("lobby", "wave"));
        Assert.False(await ann.Client.SendSignalAsync(ImTarget.Conversation("g:big"), "typing").WaitAsync(Limit));
        await Assert.ThrowsAsync<ImException>(async () => await host.Server.Presence.SendSignalAsync("g:g", "ann", "typing"));
    }

    [Fact]
    public async Task ASignalToARoomReachesItsSubscribersOnAllNodes()
    {
        await using var host = await ImTestHost.StartAsync(im => im.AllowAllRooms()).WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob");
        var cyd = await host.ConnectAsync("cyd", node: second);
        var outside = await host.ConnectAsync("dan", node: second);
        foreach (var device in new[] { ann, bob, cyd })
        {
            await device.Client.SubscribeRoomAsync("lobby").WaitAsync(Limit);
        }

        Assert.True(await ann.Client.SendSignalToRoomAsync("lobby", "wave", "hello").WaitAsync(Limit));
        foreach (var device in new[] { bob, cyd })
        {
            var signal = (await device.WaitForAsync<ImSignalEvent>(_ => true)).Signal.Sender;
            Assert.Equal(("", "lobby", "ann", "wave", "hello"), (signal.ConversationId, signal.RoomId, signal.SenderId, signal.Type, signal.Data));
        }

        Assert.Empty(ann.Events.OfType<ImSignalEvent>());
        Assert.Empty(outside.Events.OfType<ImSignalEvent>());
    }

    [Fact]
    public async Task ASignalForEverybodyIsPublishedOnceAndReachesEverySession()
    {
        var published = 0;
        await using var host = await ImTestHost.StartAsync(im => im.Services.AddSingleton<IBackplane>(provider =>
            new FaultyBackplane(provider.GetRequiredService<InMemoryCluster>())
            {
                Loses = (_, bytes) =>
                {
                    published += NodeMessage.Parser.ParseFrom(bytes.Span).Signals.Count;
                    return false;
                },
            })).WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var devices = new List<ImTestDevice>();
        for (var i = 0; i < 20; i++)
        {
            devices.Add(await host.ConnectAsync($"u{i}", node: host.Nodes[i % 2]));
        }

        await second.Server.Presence.SignalAllAsync(MessageContent.Command("maintenance"));
        foreach (var device in devices)
        {
            Assert.Equal("maintenance", (await device.WaitForAsync<ImSignalEvent>(_ => true)).Signal.Message.Content.Text);
        }

        Assert.Equal(1, published);
        Assert.All(devices, device => Assert.Single(device.Events.OfType<ImSignalEvent>()));
        await Assert.ThrowsAsync<ImException>(async () => await host.Server.Presence.SignalAllAsync(MessageContent.FromText("")));
    }
}
