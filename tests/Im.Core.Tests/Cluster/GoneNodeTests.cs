using Google.Protobuf;
using Google.Protobuf.Collections;
using Im.Cluster;
using Im.Cluster.Wire;
using Im.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Core.Tests.Cluster;

/// <summary>What is kept of nodes and users does not grow with all that were ever seen.</summary>
public sealed class GoneNodeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Keep = TimeSpan.FromMinutes(1);

    [Fact]
    public void TheNumbersOfANodeThatIsGoneAreForgottenAndNeverGoBack()
    {
        var time = new ImTestTime();
        var numbers = new NodeNumbers(Keep, time);
        var view = ClusterView.Of(1, [Node("lives")]);
        Assert.Equal([1L, 1, 2, 3], new[] { "lives", "gone", "gone", "gone" }.Select(numbers.Next));
        time.Advance(Keep);
        numbers.ForgetGone(view);
        Assert.Equal(2, numbers.Count);
        time.Advance(TimeSpan.FromSeconds(1));
        numbers.ForgetGone(view);
        var told = new MapField<string, long>();
        numbers.AddLastTo(told);
        Assert.Equal(new MapField<string, long> { ["lives"] = 1 }, told);

        Assert.Equal([4L, 5, 2, 4], new[] { "gone", "gone", "lives", "new" }.Select(numbers.Next));
        numbers.Clear();
        Assert.Equal(1, numbers.Next("gone"));
    }

    [Fact]
    public async Task WhatWasHeardOfNodesThatAreGoneIsForgotten()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var receiver = host.Services.GetRequiredService<ClusterReceiver>();
        for (var i = 0; i < 50; i++)
        {
            receiver.Receive(new NodeMessage { Node = $"pod-{i}", Epoch = 1, Probe = new Probe() }.ToByteArray());
        }

        await EventuallyAsync(host, () => receiver.KnownNodes == 51);
        await EventuallyAsync(host, () => receiver.KnownNodes == 1);
        Assert.True(host.Services.GetRequiredService<ClusterState>().View.Nodes.ContainsKey(second.Name));
    }

    [Fact]
    public async Task TheInMemoryDirectoryForgetsWhenUsersWereLastSeenAfterThirtyDays()
    {
        const int Many = 3_000;
        var time = new ImTestTime();
        var cluster = new InMemoryCluster(time);
        var directory = new InMemorySessionDirectory(cluster);
        await ComeAndGoAsync("old");
        await directory.RegisterAsync([Session("stays")], CancellationToken.None);
        time.Advance(InMemoryCluster.KeepLastSeenFor + TimeSpan.FromMinutes(1));
        await ComeAndGoAsync("new");
        Assert.InRange(cluster.Users.Count, Many + 1, Many * 3 / 2);
        var found = await directory.FindAsync(["stays", "new 0", $"new {Many - 1}", "old 0"], CancellationToken.None);
        Assert.Equal([1, 0, 0, 0], found.Select(user => user.Sessions.Count));
        Assert.Equal([false, true, true, false], found.Select(user => user.LastSeenMs > 0));

        async Task ComeAndGoAsync(string name)
        {
            DirectorySession[] sessions = [.. Enumerable.Range(0, Many).Select(i => Session($"{name} {i}"))];
            await directory.RegisterAsync(sessions, CancellationToken.None);
            await directory.RemoveAsync(sessions, CancellationToken.None);
        }
    }

    private static LiveNode Node(string name) => new(new NodeDescription(name, name, "1"), 1, 0);

    private static DirectorySession Session(string userId) => new() { UserId = userId, DeviceId = "d", NodeName = "a", Epoch = 1, ConnectionId = userId };

    private static async Task EventuallyAsync(ImTestHost host, Func<bool> condition)
    {
        var until = TimeProvider.System.GetUtcNow() + Limit;
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetUtcNow() < until, "It did not happen in time.");
            host.Time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.Delay(5);
        }
    }
}
