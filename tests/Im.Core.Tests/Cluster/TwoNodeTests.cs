using Im.Client;
using Im.Cluster;
using Im.Cluster.Wire;
using Im.Groups;
using Im.Model;
using Im.Protocol;
using Im.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Core.Tests.Cluster;

/// <summary>Two servers in one process as one cluster: whatever one node commits, the devices on the other get live.</summary>
public sealed class TwoNodeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task AOneToOneMessageReachesTheOtherNodeLive()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob", node: second);
        var bobHere = await host.ConnectAsync("bob", "laptop");
        for (var i = 1; i <= 50; i++)
        {
            await ann.SendTextAsync("bob", "a" + i).WaitAsync(Limit);
            await bob.SendTextAsync("ann", "b" + i).WaitAsync(Limit);
        }

        foreach (var device in new[] { ann, bob, bobHere })
        {
            AssertOrder(await device.WaitForMessagesAsync(100), 100);
        }
    }

    [Theory]
    [InlineData("write")]
    [InlineData("read")]
    public async Task MembersOnBothNodesGetAGroupsMessagesInOrderAndOnce(string fanout)
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var group = await host.Server.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new("g"), ActorId = "ann", MemberIds = ["ann", "bob", "cyd"], Fanout = fanout });
        var devices = new[] { await host.ConnectAsync("ann"), await host.ConnectAsync("bob", node: second), await host.ConnectAsync("cyd", node: second) };
        var target = ImTarget.Conversation(group.ConversationId);
        await Task.WhenAll(devices.Select(async device =>
        {
            for (var i = 0; i < 100; i++)
            {
                await device.SendTextAsync(target, $"{device.UserId} {i}");
            }
        })).WaitAsync(Limit);

        foreach (var device in devices)
        {
            AssertOrder(await device.WaitForMessagesAsync(300), 300);
        }
    }

    [Theory]
    [InlineData("write")]
    [InlineData("read")]
    public async Task WhoIsAddedOnOneNodeGetsWhatFollowsOnTheOtherAndWhoIsRemovedDoesNot(string fanout)
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var group = await host.Server.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new("g"), ActorId = "ann", MemberIds = ["ann", "bob"], Fanout = fanout });
        var target = ImTarget.Conversation(group.ConversationId);
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob", node: second);
        var cyd = await host.ConnectAsync("cyd", node: second);
        await ann.SendTextAsync(target, "1").WaitAsync(Limit);
        await bob.SendTextAsync(target, "2").WaitAsync(Limit);
        await host.Server.Groups.AddMembersAsync("g", ["cyd"], "ann");
        await ann.SendTextAsync(target, "3").WaitAsync(Limit);
        await cyd.SendTextAsync(target, "4").WaitAsync(Limit);
        await second.Server.Groups.RemoveMembersAsync("g", ["bob"], "ann");
        await ann.SendTextAsync(target, "5").WaitAsync(Limit);
        await Assert.ThrowsAsync<ImClientException>(() => bob.SendTextAsync(target, "6").WaitAsync(Limit));

        Assert.Equal(["1", "2", "3", "4", "5"], Texts(await ann.WaitForMessagesAsync(5)));
        Assert.Equal(["3", "4", "5"], Texts(await cyd.WaitForMessagesAsync(3)));
        Assert.Equal(["1", "2", "3", "4"], Texts(await bob.WaitForMessagesAsync(4)));
        await host.ConnectAsync("dan");
        Assert.Equal(4, bob.Messages.Count);
    }

    [Fact]
    public async Task AGroupThatIsSwitchedBackAndForthOnBothNodesLosesNothing()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var group = await host.Server.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new("g"), ActorId = "ann", MemberIds = ["ann", "bob", "cyd"] });
        var devices = new[] { await host.ConnectAsync("ann"), await host.ConnectAsync("bob", node: second), await host.ConnectAsync("cyd", node: second) };
        var target = ImTarget.Conversation(group.ConversationId);
        var sending = Task.WhenAll(devices.Select(async device =>
        {
            for (var i = 0; i < 100; i++)
            {
                await device.SendTextAsync(target, $"{device.UserId} {i}");
            }
        }));
        for (var i = 0; i < 10; i++)
        {
            await host.Nodes[i % 2].Server.Groups.SetFanoutAsync("g", i % 2 == 0 ? "read" : "write", "ann");
        }

        await sending.WaitAsync(Limit);
        foreach (var device in devices)
        {
            // Order is promised within a timeline, and a switch leads from one to the other.
            IReadOnlyList<Entry> messages = [];
            try
            {
                messages = await device.WaitForMessagesAsync(300);
            }
            catch (TimeoutException)
            {
                // What it has says more.
                messages = device.Messages;
            }

            Assert.True(
                messages.Select(entry => entry.ClientMessageId).Distinct().Count() == 300 && device.Messages.Count == 300,
                $"{device.UserId}: {string.Join(" ", device.Events.OfType<ImEntryEvent>().Select(one => $"{(one.Entry.BodyCase == Entry.BodyOneofCase.Content ? "" : one.Entry.BodyCase)}{one.Entry.ConversationSeq}{(one.IsInbox ? "i" : "c")}"))}");
        }
    }

    [Fact]
    public async Task ADeviceThatSignsInOnAnotherNodeIsReplacedOnTheFirst()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var here = await host.ConnectAsync("ann");
        await using var there = await host.ConnectAsync("ann", node: second);

        Assert.Equal(ImCloseCode.Replaced, (await here.WaitForCloseAsync()).Code);
        var session = Assert.Single(await host.Server.Sessions.GetSessionsAsync("ann"));
        Assert.Equal("node-2", session.NodeName);
    }

    [Fact]
    public async Task ALostMessageOfAnotherNodeIsFoundByTheNextOneOrByTheProbe()
    {
        FaultyBackplane? first = null;
        await using var host = await ImTestHost.StartAsync(im => im.Services.AddSingleton<IBackplane>(provider =>
        {
            var backplane = new FaultyBackplane(provider.GetRequiredService<InMemoryCluster>());
            first ??= backplane;
            return backplane;
        })).WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob", node: second);
        await ann.SendTextAsync("bob", "1").WaitAsync(Limit);
        await bob.WaitForMessagesAsync(1);

        first!.Loses = (_, bytes) => NodeMessage.Parser.ParseFrom(bytes.Span).Commits.Count > 0;
        await ann.SendTextAsync("bob", "2").WaitAsync(Limit);
        await ann.SendTextAsync("bob", "3").WaitAsync(Limit);
        await Eventually(async () =>
        {
            // The probe is due, and then what is missing is read.
            host.Time.Advance(TimeSpan.FromMilliseconds(200));
            await Task.Yield();
            return bob.Messages.Count == 3;
        });
        Assert.Equal(["1", "2", "3"], Texts(bob.Messages));

        first.Loses = (_, _) => false;
        await ann.SendTextAsync("bob", "4").WaitAsync(Limit);
        AssertOrder(await bob.WaitForMessagesAsync(4), 4);
    }

    [Fact]
    public async Task ASignalReachesTheOtherNode()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob", node: second);
        await ann.Client.SendAsync(new ImMessage { Target = ImTarget.User("bob"), Content = new Content { ContentType = "command", Text = "typing" }, NonPersistent = true }).WaitAsync(Limit);
        var signal = await bob.WaitForAsync<ImSignalEvent>(_ => true);
        Assert.Equal("typing", signal.Signal.Message.Content.Text);
    }

    [Fact]
    public async Task WhoIsOnlineIsKnownOnEveryNodeAndDisconnectedFromEveryNode()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann", "phone");
        await host.ConnectAsync("ann", "laptop", node: second);
        await host.ConnectAsync("bob", node: second);

        Assert.Equal(["ann", "bob"], (await host.Server.Sessions.GetOnlineAsync(["ann", "bob", "cyd"])).Order());
        Assert.Equal(
            [("laptop", "node-2"), ("phone", "node-1")],
            (await second.Server.Sessions.GetSessionsAsync("ann")).Select(session => (session.Device.DeviceId, session.NodeName)));

        Assert.Equal(2, await host.Server.Sessions.DisconnectAsync("ann", reason: "enough"));
        Assert.Equal(ImCloseCode.Disconnected, (await ann.WaitForCloseAsync()).Code);
        await Eventually(async () => !(await host.Server.Sessions.GetOnlineAsync(["ann"])).Contains("ann"));
    }

    [Fact]
    public async Task ANodeThatLostItsLeaseRegistersItsSessionsAgain()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob", node: second);
        var state = second.Services.GetRequiredService<ClusterState>();
        var epoch = state.View.Epoch;

        await second.Services.GetRequiredService<ISessionDirectory>().LeaveAsync("node-2", epoch, CancellationToken.None);
        await Eventually(() =>
        {
            host.Time.Advance(TimeSpan.FromMilliseconds(500));
            return new(state.View.Epoch > epoch && state.View.Nodes.Count == 2);
        });
        await Eventually(async () =>
        {
            host.Time.Advance(TimeSpan.FromMilliseconds(500));
            return (await host.Server.Sessions.GetOnlineAsync(["ann", "bob"])).Count == 2;
        });
        await ann.SendTextAsync("bob", "still there").WaitAsync(Limit);
        Assert.Equal("still there", (await bob.ReceiveAsync()).Content.Text);
    }

    [Fact]
    public async Task ARestartedNodeGoesOnAndTheOtherKeepsServing()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob", node: second);
        await ann.SendTextAsync("bob", "1").WaitAsync(Limit);
        await host.RestartAsync(second).WaitAsync(Limit);
        await ann.SendTextAsync("bob", "2").WaitAsync(Limit);
        await host.MoveAsync(bob, host.Nodes[0]).WaitAsync(Limit);
        await ann.SendTextAsync("bob", "3").WaitAsync(Limit);
        AssertOrder(await bob.WaitForMessagesAsync(3), 3);
    }

    private static void AssertOrder(IReadOnlyList<Entry> messages, int count)
    {
        Assert.Equal(count, messages.Count);
        Assert.Equal(count, messages.Select(entry => entry.ClientMessageId).Distinct().Count());
        foreach (var conversation in messages.GroupBy(entry => entry.ConversationId))
        {
            Assert.Equal(conversation.Select(entry => entry.ConversationSeq).Order(), conversation.Select(entry => entry.ConversationSeq));
        }
    }

    private static IEnumerable<string> Texts(IEnumerable<Entry> messages) => messages.Select(entry => entry.Content.Text);

    private static async Task Eventually(Func<ValueTask<bool>> condition)
    {
        var until = TimeProvider.System.GetUtcNow() + Limit;
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetUtcNow() < until, "It did not happen in time.");
            await Task.Delay(10);
        }
    }
}
