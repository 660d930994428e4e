using Im.Client;
using Im.Cluster;
using Im.Cluster.Wire;
using Im.Core.Tests.Cluster;
using Im.Groups;
using Im.Presence;
using Im.Protocol;
using Im.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Core.Tests.Presence;

/// <summary>Who is shown whose presence, and when, in a cluster of two nodes.</summary>
public sealed class PresenceSubscriptionTests : PresenceTest
{
    [Fact]
    public async Task ASubscriberSeesTheStateAndEachChangeOnOtherNodes()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob", node: second);
        await ann.SendTextAsync("bob", "hi").WaitAsync(Limit);
        await ann.SendTextAsync("cyd", "hi").WaitAsync(Limit);

        var states = await ann.Client.SubscribePresenceAsync(["bob", "cyd"]).WaitAsync(Limit);
        Assert.Equal([("bob", true), ("cyd", false)], states.Select(user => (user.UserId, user.IsOnline)).Order());

        await host.ConnectAsync("cyd", node: second);
        await Eventually(host, () => Told(ann).Any(user => user is { UserId: "cyd", IsOnline: true }));
        await bob.DisposeAsync();
        await Pass(host, TimeSpan.FromSeconds(3));
        Assert.DoesNotContain(Told(ann), user => user.UserId == "bob");
        await Eventually(host, () => Told(ann).Any(user => user is { UserId: "bob", IsOnline: false, LastSeenMs: > 0 }));
        await Pass(host, TimeSpan.FromSeconds(10));
        Assert.Equal(2, Told(ann).Count);

        await ann.Client.UnsubscribePresenceAsync(["bob"]).WaitAsync(Limit);
        await host.ConnectAsync("bob", node: second);
        await Pass(host, TimeSpan.FromSeconds(3));
        Assert.Equal(2, Told(ann).Count);
        Assert.Equal([true, false], (await second.Server.Presence.GetAsync(["bob", "nobody"])).Select(user => user.IsOnline));
    }

    // A phone that changes its network is the same phone on another node a moment later.
    [Fact]
    public async Task AFlappingDeviceIsSilent()
    {
        var recorder = new Recorder();
        await using var host = await ImTestHost.StartAsync(im => im.Services.AddSingleton<IPresenceListener>(recorder)).WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann");
        await ann.SendTextAsync("bob", "hi").WaitAsync(Limit);
        var bob = await host.ConnectAsync("bob", node: second);
        await ann.Client.SubscribePresenceAsync(["bob"]).WaitAsync(Limit);
        for (var i = 0; i < 6; i++)
        {
            await bob.DisposeAsync();
            await Eventually(host, () => DirectoryOf(host, "bob").Length == 0);
            await Pass(host, TimeSpan.FromSeconds(2));
            bob = await host.ConnectAsync("bob", node: host.Nodes[i % 2]);
        }

        await Pass(host, TimeSpan.FromSeconds(15));
        Assert.Empty(Told(ann));
        Assert.Equal(6, recorder.Of("bob").Count(item => item.Kind == PresenceEventKind.UserOffline));
    }

    [Fact]
    public async Task WhoMayNotSeeIsToldNothing()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann");
        await ann.SendTextAsync("bob", "hi").WaitAsync(Limit);
        await host.Server.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new("g"), ActorId = "cyd", MemberIds = ["cyd", "dan"] });

        async Task Refused(Func<Task> subscribe) =>
            Assert.Equal(ImErrorCode.PresenceForbidden, (await Assert.ThrowsAsync<ImClientException>(() => subscribe().WaitAsync(Limit))).Code);

        await Refused(() => ann.Client.SubscribePresenceAsync(["cyd"]));
        await Refused(() => ann.Client.SubscribePresenceAsync(["nobody"]));
        await Refused(() => ann.Client.SubscribeConversationPresenceAsync("g:g"));
        await Refused(() => ann.Client.SubscribeConversationPresenceAsync("g:none"));
        await Refused(() => ann.Client.SubscribeConversationPresenceAsync("d:3:ann:cyd"));
        await Refused(() => ann.Client.SubscribeConversationPresenceAsync("d:3:bob:cyd"));
        var some = await ann.Client.SubscribePresenceAsync(["bob", "cyd", "ann"]).WaitAsync(Limit);
        Assert.Equal(["ann", "bob"], some.Select(user => user.UserId).Order());

        await host.ConnectAsync("cyd", node: second);
        await host.ConnectAsync("dan");
        await host.ConnectAsync("bob", node: second);
        await Eventually(host, () => Told(ann).Count > 0);
        await Pass(host, TimeSpan.FromSeconds(3));
        Assert.All(Told(ann), user => Assert.Equal("bob", user.UserId));
    }

    [Theory]
    [InlineData("write")]
    [InlineData("read")]
    public async Task MembersAreShownToMembersAsLongAsBothAre(string fanout)
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        await host.Server.Groups.CreateAsync(
            new NewGroup { GroupId = "g", Info = new("g"), ActorId = "ann", MemberIds = ["ann", "bob", "cyd", "dan"], Fanout = fanout });
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob", node: second);
        foreach (var device in new[] { ann, bob })
        {
            var answer = await device.Client.SubscribeConversationPresenceAsync("g:g").WaitAsync(Limit);
            Assert.False(answer.IsPartial);
            Assert.Equal(["ann", "bob"], answer.Users.Where(user => user.IsOnline).Select(user => user.UserId).Order());
            Assert.Equal(4, answer.Users.Count);
        }

        await host.Server.Groups.RemoveMembersAsync("g", ["bob", "dan"], "ann");
        await bob.WaitForAsync<ImEntryEvent>(item => item.Entry.MembersChanged is { Removed.Count: 2 });
        await host.ConnectAsync("cyd");
        await host.ConnectAsync("dan");
        await Eventually(host, () => Told(ann).Any(user => user.UserId == "cyd"));
        await Pass(host, TimeSpan.FromSeconds(3));
        Assert.Equal(["cyd"], Told(ann).Select(user => user.UserId));
        Assert.Empty(Told(bob));

        // A member who came later is seen after a while too.
        await host.Server.Groups.AddMembersAsync("g", ["eve"], "ann");
        await host.ConnectAsync("eve", node: second);
        await Pass(host, TimeSpan.FromSeconds(35));
        Assert.Contains(Told(ann), user => user is { UserId: "eve", IsOnline: true });
    }

    [Fact]
    public async Task OfALargeGroupThoseWhoAreOnlineAreShown()
    {
        await using var host = await ImTestHost.StartAsync(im => im.UsePresence(options => options.MaxConversationMembers = 3)).WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        string[] members = ["ann", .. Enumerable.Range(0, 150).Select(number => $"m{number}")];
        await host.Server.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new("g"), ActorId = "ann", MemberIds = members, Fanout = "read" });
        var ann = await host.ConnectAsync("ann");
        var other = await host.ConnectAsync("m7", node: second);
        var answer = await ann.Client.SubscribeConversationPresenceAsync("g:g").WaitAsync(Limit);
        Assert.True(answer.IsPartial);
        Assert.Equal(["ann", "m7"], answer.Users.Select(user => user.UserId).Order());
        await other.DisposeAsync();
        await Eventually(host, () => Told(ann).Any(user => user is { UserId: "m7", IsOnline: false }));
    }

    [Fact]
    public async Task AConnectionIsToldTheNewestOfEachOncePerInterval()
    {
        await using var host = await ImTestHost.StartAsync(im => im.UsePresence(options =>
        {
            options.NotifyInterval = TimeSpan.FromSeconds(4);
            options.OfflineGrace = TimeSpan.Zero;
        })).WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann");
        string[] others = [.. Enumerable.Range(0, 10).Select(number => $"u{number}")];
        foreach (var userId in others)
        {
            await ann.SendTextAsync(userId, "hi").WaitAsync(Limit);
        }

        await ann.Client.SubscribePresenceAsync(others).WaitAsync(Limit);
        await Pass(host, TimeSpan.FromSeconds(8));
        Assert.Empty(Told(ann));
        foreach (var userId in others)
        {
            await using var first = await host.ConnectAsync(userId, "phone", node: second);
            await host.ConnectAsync(userId, "laptop");
        }

        await Eventually(host, () => Told(ann).Count > 0);
        Assert.True(ann.Events.OfType<ImPresenceEvent>().Count() <= 2);
        await Pass(host, TimeSpan.FromSeconds(12));
        Assert.All(others, userId => Assert.True(Told(ann).Last(user => user.UserId == userId).IsOnline));
    }

    [Fact]
    public async Task TooManyUsersAreRefusedAndNothingChanges()
    {
        await using var host = await ImTestHost.StartAsync(im => im.UsePresence(options => options.MaxUsersPerConnection = 2)).WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        foreach (var userId in new[] { "bob", "cyd", "dan" })
        {
            await ann.SendTextAsync(userId, "hi").WaitAsync(Limit);
        }

        await ann.Client.SubscribePresenceAsync(["bob"]).WaitAsync(Limit);
        Assert.Equal(
            ImErrorCode.TooManySubscriptions,
            (await Assert.ThrowsAsync<ImClientException>(() => ann.Client.SubscribePresenceAsync(["cyd", "dan"]).WaitAsync(Limit))).Code);
        await ann.Client.SubscribePresenceAsync(["bob", "cyd"]).WaitAsync(Limit);
        var watches = host.Services.GetRequiredService<PresenceWatches>();
        Assert.Equal(2, watches.Count);
        await ann.DisposeAsync();
        await Eventually(host, () => watches.Count == 0);
    }

    [Fact]
    public async Task ALostMessageOfAnotherNodeIsMadeGood()
    {
        var backplanes = new List<FaultyBackplane>();
        await using var host = await ImTestHost.StartAsync(im => im.Services.AddSingleton<IBackplane>(provider =>
        {
            var backplane = new FaultyBackplane(provider.GetRequiredService<InMemoryCluster>());
            backplanes.Add(backplane);
            return backplane;
        })).WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann");
        await ann.SendTextAsync("bob", "hi").WaitAsync(Limit);
        await ann.Client.SubscribePresenceAsync(["bob"]).WaitAsync(Limit);
        var lost = 0;
        backplanes[1].Loses = (_, bytes) =>
        {
            var loses = NodeMessage.Parser.ParseFrom(bytes.Span).Presence.Count > 0;
            lost += loses ? 1 : 0;
            return loses;
        };
        await host.ConnectAsync("bob", node: second);
        await Eventually(host, () => lost > 0);

        // The probe tells that something is missing: long before the states would be read again anyway.
        var before = host.Time.GetUtcNow();
        await Eventually(host, () => Told(ann).Any(user => user is { UserId: "bob", IsOnline: true }));
        Assert.True(host.Time.GetUtcNow() - before < TimeSpan.FromSeconds(10));
    }

    // Two nodes tell of one user at once, and what is older is heard last.
    [Fact]
    public async Task AStateThatIsHeardLateIsPutRight()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        await ann.SendTextAsync("bob", "hi").WaitAsync(Limit);
        await ann.SendTextAsync("cyd", "hi").WaitAsync(Limit);
        await host.ConnectAsync("bob");
        await ann.Client.SubscribePresenceAsync(["bob", "cyd"]).WaitAsync(Limit);
        var late = new NodeMessage { Presence = { new PresenceUpdate { UserId = "bob", LastSeenMs = 1 }, new PresenceUpdate { UserId = "cyd", IsOnline = true } } };
        host.Services.GetRequiredService<PresenceNotifier>().Received(late);
        await Eventually(host, () => Told(ann).Any(user => user is { UserId: "cyd", IsOnline: false }));
        await Pass(host, TimeSpan.FromSeconds(10));
        Assert.Equal([("cyd", true), ("cyd", false)], Told(ann).Select(user => (user.UserId, user.IsOnline)));
    }

    [Fact]
    public async Task AClientThatReconnectsIsShownWhatIsSoThen()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann");
        await ann.SendTextAsync("bob", "hi").WaitAsync(Limit);
        await host.Server.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new("g"), ActorId = "cyd", MemberIds = ["ann", "cyd"] });
        await ann.Client.SubscribePresenceAsync(["bob"]).WaitAsync(Limit);
        await ann.Client.SubscribeConversationPresenceAsync("g:g").WaitAsync(Limit);
        await host.CutAsync(ann);
        await host.ConnectAsync("bob", node: second);
        await host.Server.Groups.RemoveMembersAsync("g", ["ann"], "cyd");
        await host.ReconnectAsync(ann);
        Assert.True((await ann.WaitForAsync<ImPresenceEvent>(item => item.Users.Any(user => user.UserId == "bob"))).Users[0].IsOnline);
        Assert.Equal("g:g", (await ann.WaitForAsync<ImPresenceEndedEvent>(_ => true)).ConversationId);
    }

    [Fact]
    public async Task AHostsPolicyDecides()
    {
        await using var host = await ImTestHost.StartAsync(im => im.AddPresencePolicy<OnlyBob>()).WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        await ann.SendTextAsync("cyd", "hi").WaitAsync(Limit);
        await host.Server.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new("g"), ActorId = "ann", MemberIds = ["ann", "bob", "cyd"] });
        Assert.Equal(["bob"], (await ann.Client.SubscribePresenceAsync(["bob", "cyd"]).WaitAsync(Limit)).Select(user => user.UserId));
        Assert.Equal(["ann", "bob"], (await ann.Client.SubscribeConversationPresenceAsync("g:g").WaitAsync(Limit)).Users.Select(user => user.UserId).Order());
        await host.ConnectAsync("cyd");
        await host.ConnectAsync("bob");
        await Eventually(host, () => Told(ann).Count > 0);
        await Pass(host, TimeSpan.FromSeconds(40));
        Assert.All(Told(ann), user => Assert.Equal("bob", user.UserId));
    }

    // A thousand watchers of the same users cost one packet, and one encoding for each codec.
    [Fact]
    public void WhoIsToldTheSameSharesOnePacket()
    {
        var packets = new PresencePackets();
        PresenceState[] states = [new("a", true, ["phone"], 0), new("b", false, [], 5)];
        var first = packets.Get([.. states]).Get(ImCodec.Protobuf);
        for (var i = 0; i < 1000; i++)
        {
            Assert.Same(first, packets.Get([.. states]).Get(ImCodec.Protobuf));
        }

        Assert.Equal(1, packets.Count);
        Assert.NotSame(first, packets.Get([states[0]]).Get(ImCodec.Protobuf));
        Assert.Same(packets.Get(states).Get(ImCodec.Json), packets.Get(states).Get(ImCodec.Json));
        Assert.Equal(2, packets.Count);
    }

    private sealed class OnlyBob : IPresencePolicy
    {
        public ValueTask<IReadOnlyCollection<string>> FindVisibleAsync(
            string userId, IReadOnlyList<string> targetIds, string? conversationId, CancellationToken cancellationToken) =>
            new([.. targetIds.Where(target => target == "bob"), "somebody-else"]);
    }
}
