using System.Collections.Concurrent;
using Im.Client;
using Im.Cluster;
using Im.Groups;
using Im.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Core.Tests.Cluster;

/// <summary>What was lost or came in the wrong order between two nodes is mended without anybody signing in again by itself.</summary>
public sealed class ClusterRepairTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly List<FaultyBackplane> _backplanes = [];
    private readonly List<FaultyDirectory> _directories = [];

    [Fact]
    public async Task ALostMembershipIsFoundThoughTheInboxWasReadMeanwhile()
    {
        await using var host = await StartAsync();
        var second = await host.AddNodeAsync();
        var group = await CreateAsync(host, "read", "ann");
        var ann = await host.ConnectAsync("ann");
        var cyd = await host.ConnectAsync("cyd", node: second);

        var lost = 0;
        _backplanes[0].Loses = (node, _) => node == second.Name && Interlocked.Increment(ref lost) > 0;
        await host.Server.Groups.AddMembersAsync("g", ["cyd"], "ann");
        await Eventually(() => Volatile.Read(ref lost) > 0);
        _backplanes[0].Loses = (_, _) => false;

        // This one's place in the inbox is behind the lost one's: both are read, and nothing is missing there any more.
        await ann.SendTextAsync("cyd", "direct").WaitAsync(Limit);
        await Eventually(() => Has(cyd, "direct"), host);
        await ann.SendTextAsync(ImTarget.Conversation(group.ConversationId), "in the group").WaitAsync(Limit);
        await Eventually(() => Has(cyd, "in the group"), host);
    }

    [Fact]
    public async Task WhatComesBeforeTheMembershipThatItNeedsIsReadAtOnce()
    {
        await using var host = await StartAsync();
        var second = await host.AddNodeAsync();
        var third = await host.AddNodeAsync();
        var group = await CreateAsync(host, "read", "ann", "bob");
        var bob = await host.ConnectAsync("bob", node: third);
        var cyd = await host.ConnectAsync("cyd", node: second);

        var late = new ConcurrentQueue<ReadOnlyMemory<byte>>();
        _backplanes[0].Loses = (node, bytes) =>
        {
            if (node == second.Name)
            {
                late.Enqueue(bytes);
            }

            return node == second.Name;
        };
        await host.Server.Groups.AddMembersAsync("g", ["cyd"], "ann");
        await Eventually(() => !late.IsEmpty);
        await bob.SendTextAsync(ImTarget.Conversation(group.ConversationId), "early").WaitAsync(Limit);
        await Eventually(() => second.Services.GetRequiredService<Im.Sync.RecentEntries>().FindHead(group.ConversationId) >= 3);
        foreach (var bytes in late)
        {
            second.Services.GetRequiredService<ClusterReceiver>().Receive(bytes);
        }

        // The clock stands still: no head check helps.
        await Eventually(() => Has(cyd, "early"));
    }

    [Fact]
    public async Task WhoIsRemovedGetsNothingAfterThatThoughTheRemovalItselfIsLost()
    {
        await using var host = await StartAsync();
        var second = await host.AddNodeAsync();
        var group = await CreateAsync(host, "read", "ann", "bob", "cyd");
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob", node: second);
        var cyd = await host.ConnectAsync("cyd", node: second);
        _backplanes[0].Loses = (node, _) => node == second.Name;
        await host.Server.Groups.RemoveMembersAsync("g", ["bob"], "ann");
        await ann.SendTextAsync(ImTarget.Conversation(group.ConversationId), "among us").WaitAsync(Limit);

        await Eventually(() => Has(cyd, "among us"));
        Assert.False(Has(bob, "among us"));
    }

    [Theory]
    [InlineData("write")]
    [InlineData("read")]
    public async Task AMemberWhomAnotherNodeHasJustAddedMaySendThoughThatHasNotBeenToldYet(string fanout)
    {
        await using var host = await StartAsync();
        var second = await host.AddNodeAsync();
        var group = await CreateAsync(host, fanout, "ann", "bob");
        var bob = await host.ConnectAsync("bob", node: second);
        var cyd = await host.ConnectAsync("cyd", node: second);
        await bob.SendTextAsync(ImTarget.Conversation(group.ConversationId), "known on this node").WaitAsync(Limit);
        _backplanes[0].Loses = (_, _) => true;
        await host.Server.Groups.AddMembersAsync("g", ["cyd"], "ann");
        await cyd.SendTextAsync(ImTarget.Conversation(group.ConversationId), "already").WaitAsync(Limit);
        await Eventually(() => Has(bob, "already"), host);
    }

    [Fact]
    public async Task AMemberWhomAnotherNodeHasJustAddedIsRemovedThoughThatHasNotBeenToldYet()
    {
        await using var host = await StartAsync();
        var second = await host.AddNodeAsync();
        await CreateAsync(host, "write", "ann", "bob");
        await second.Server.Groups.RemoveMembersAsync("g", ["dan"], "ann");
        _backplanes[0].Loses = (_, _) => true;
        await host.Server.Groups.AddMembersAsync("g", ["cyd"], "ann");
        await second.Server.Groups.RemoveMembersAsync("g", ["cyd"], "ann");
        var cyd = await host.ConnectAsync("cyd", node: second);
        await Assert.ThrowsAsync<ImClientException>(() => cyd.SendTextAsync(ImTarget.Conversation("g:g"), "no more").WaitAsync(Limit));
    }

    [Fact]
    public async Task ASessionWhoseRemovalFailedIsVoidThoughTheNewEpochWasNotToBeHadAtOnce()
    {
        await using var host = await StartAsync();
        var second = await host.AddNodeAsync();
        var bob = await host.ConnectAsync("bob", node: second);
        var (joins, removals) = (0, 0);
        _directories[1].Fails = method => (method == "Join" && Interlocked.Increment(ref joins) < 3) || (method == "Remove" && Interlocked.Increment(ref removals) == 1);
        await host.CutAsync(bob);
        await bob.DisposeAsync();
        await Eventually(() => Volatile.Read(ref removals) > 0);

        await EventuallyAsync(
            async () => !(await host.Server.Sessions.GetOnlineAsync(["bob"])).Contains("bob"), host);
        Assert.Equal(3, joins);

        // Void at once, and removed after the node has registered its sessions anew.
        await EventuallyAsync(async () => (await _directories[0].FindAsync(["bob"], CancellationToken.None))[0].Sessions.Count == 0, host: null);
    }

    // Its node had taken a new epoch between a registration and its answer: the old entry would have removed nothing.
    [Fact]
    public async Task ASessionThatWasRegisteredUnderANewerEpochIsRemovedThoughAnOlderAnswerCameLate()
    {
        await using var host = await StartAsync();
        var ann = await host.ConnectAsync("ann");
        var session = Assert.Single(host.Services.GetRequiredService<Im.Connections.SessionRegistry>().All);
        var old = session.DirectoryEntry!;
        await _directories[0].LeaveAsync(old.NodeName, old.Epoch, CancellationToken.None);
        await Eventually(() => session.DirectoryEntry!.Epoch > old.Epoch, host);
        session.Registered(old);

        await host.CutAsync(ann);
        await EventuallyAsync(async () => (await _directories[0].FindAsync(["ann"], CancellationToken.None))[0].Sessions.Count == 0, host: null);
    }

    private static bool Has(ImTestDevice device, string text) => device.Messages.Any(entry => entry.Content?.Text == text);

    private static Task<ImGroup> CreateAsync(ImTestHost host, string fanout, params string[] members) => host.Server.Groups.CreateAsync(
        new NewGroup { GroupId = "g", Info = new("g"), ActorId = members[0], MemberIds = members, Fanout = fanout }).AsTask().WaitAsync(Limit);

    private static Task Eventually(Func<bool> condition, ImTestHost? host = null) => EventuallyAsync(() => Task.FromResult(condition()), host);

    // With a host its clock runs meanwhile.
    private static async Task EventuallyAsync(Func<Task<bool>> condition, ImTestHost? host)
    {
        var until = TimeProvider.System.GetUtcNow() + Limit;
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetUtcNow() < until, "It did not happen in time.");
            host?.Time.Advance(TimeSpan.FromMilliseconds(200));
            await Task.Delay(10);
        }
    }

    private Task<ImTestHost> StartAsync() => ImTestHost.StartAsync(im =>
    {
        im.Services.AddSingleton<IBackplane>(provider => Add(_backplanes, new FaultyBackplane(provider.GetRequiredService<InMemoryCluster>())));
        im.Services.AddSingleton<ISessionDirectory>(provider => Add(_directories, new FaultyDirectory(provider.GetRequiredService<InMemoryCluster>())));
    }).WaitAsync(Limit);

    private static T Add<T>(List<T> all, T one)
    {
        all.Add(one);
        return one;
    }
}
