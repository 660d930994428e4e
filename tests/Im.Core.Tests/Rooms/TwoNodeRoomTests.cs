using Im.Client;
using Im.Cluster;
using Im.Core.Tests.Cluster;
using Im.Protocol;
using Im.Rooms;
using Im.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Core.Tests.Rooms;

/// <summary>What the host asks of a room it asks of all nodes.</summary>
public sealed class TwoNodeRoomTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly List<FaultyBackplane> _backplanes = [];
    private readonly List<FaultyDirectory> _directories = [];
    private Func<int, bool> _knowsQuestions = _ => true;
    private int _nodes;

    [Fact]
    public async Task SubscribersAreCountedAndRemovedOnAllNodes()
    {
        await using var host = await StartAsync();
        var second = await host.AddNodeAsync();
        var ann = await SubscribeAsync(await host.ConnectAsync("ann"));
        var annThere = await SubscribeAsync(await host.ConnectAsync("ann", "laptop", node: second));
        await SubscribeAsync(await host.ConnectAsync("bob", node: second));
        await AssertCountsAsync(host, "r", 3, 3);
        await AssertCountsAsync(host, "other", 0, 0);

        Assert.Equal(0, await host.Server.Rooms.RemoveAsync("r", "cyd").AsTask().WaitAsync(Limit));
        Assert.Equal(2, await host.Server.Rooms.RemoveAsync("r", "ann").AsTask().WaitAsync(Limit));
        await AssertCountsAsync(host, "r", 1, 1);
        foreach (var device in new[] { ann, annThere })
        {
            await EventuallyAsync(() => device.Events.OfType<ImRoomLeftEvent>().Any(left => left.RoomId == "r"));
        }

        await SubscribeAsync(ann);
        Assert.Equal(2, await second.Server.Rooms.RemoveAsync("r").AsTask().WaitAsync(Limit));
        await AssertCountsAsync(host, "r", 0, 0);
    }

    [Fact]
    public async Task ANodeThatDoesNotAnswerIsNamedAndTheOthersHaveDoneIt()
    {
        await using var host = await StartAsync();
        var second = await host.AddNodeAsync();
        await SubscribeAsync(await host.ConnectAsync("ann"));
        await SubscribeAsync(await host.ConnectAsync("bob", node: second));
        _backplanes[0].Loses = (node, _) => node == second.Name;

        var error = await ThrowsAsync(host, host.Server.Rooms.CountSubscribersAsync("r"));
        Assert.Equal("1 connections subscribe to the room, but these nodes did not answer, or could not (the log says why): node-2. Try again.", error.Message);
        error = await ThrowsAsync(host, host.Server.Rooms.RemoveAsync("r"));
        Assert.Equal("1 subscriptions were ended, but these nodes did not answer, or could not (the log says why): node-2. Try again.", error.Message);

        _backplanes[0].Loses = (_, _) => false;
        await AssertCountsAsync(host, "r", 1, 1);
        Assert.Equal(1, await host.Server.Rooms.RemoveAsync("r").AsTask().WaitAsync(Limit));
    }

    // As in a rolling update.
    [Fact]
    public async Task ANodeThatDoesNotKnowTheQuestionIsNamedAtOnce()
    {
        _knowsQuestions = number => number == 0;
        await using var host = await StartAsync();
        var second = await host.AddNodeAsync();
        await SubscribeAsync(await host.ConnectAsync("ann"));
        await SubscribeAsync(await host.ConnectAsync("bob", node: second));

        // The clock stands: nothing times out.
        var error = await Assert.ThrowsAsync<ImException>(() => host.Server.Rooms.CountSubscribersAsync("r").AsTask().WaitAsync(Limit));
        Assert.Equal("1 connections subscribe to the room, but these nodes did not answer, or could not (the log says why): node-2. Try again.", error.Message);
        error = await Assert.ThrowsAsync<ImException>(() => host.Server.Rooms.RemoveAsync("r").AsTask().WaitAsync(Limit));
        Assert.Equal("1 subscriptions were ended, but these nodes did not answer, or could not (the log says why): node-2. Try again.", error.Message);
        Assert.Equal(ImErrorCode.ClusterUnavailable, error.Code);
    }

    [Fact]
    public async Task ANodeThatKnowsNoOthersYetSaysSo()
    {
        await using var host = await StartAsync();
        await SubscribeAsync(await host.ConnectAsync("ann"));

        // As where the directory was away at the start.
        _directories[0].Fails = _ => true;
        host.Services.GetRequiredService<ClusterState>().View = ClusterView.Alone;
        var error = await ThrowsAsync(host, host.Server.Rooms.CountSubscribersAsync("r"));
        Assert.Equal("1 connections subscribe to the room, but this node does not know the others yet. Try again.", error.Message);
        Assert.Contains("1 subscriptions were ended", (await ThrowsAsync(host, host.Server.Rooms.RemoveAsync("r"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhereThereIsOneNodeNobodyIsAsked()
    {
        await using var host = await StartAsync();
        await SubscribeAsync(await host.ConnectAsync("ann"));
        var published = _backplanes[0].Published;
        await AssertCountsAsync(host, "r", 1);
        Assert.Equal(1, await host.Server.Rooms.RemoveAsync("r", "ann").AsTask().WaitAsync(Limit));
        await AssertCountsAsync(host, "r", 0);
        Assert.Equal(published, _backplanes[0].Published);
        Assert.Equal(ImErrorCode.InvalidArgument, (await Assert.ThrowsAsync<ImException>(() => host.Server.Rooms.RemoveAsync("").AsTask())).Code);
    }

    private static async Task<ImTestDevice> SubscribeAsync(ImTestDevice device)
    {
        await device.Client.SubscribeRoomAsync("r").WaitAsync(Limit);
        return device;
    }

    // What each node says.
    private static async Task AssertCountsAsync(ImTestHost host, string room, params int[] expected) =>
        Assert.Equal(expected, await Task.WhenAll(host.Nodes.Select(node => node.Server.Rooms.CountSubscribersAsync(room).AsTask())).WaitAsync(Limit));

    // The clock runs until the question has timed out.
    private static async Task<ImException> ThrowsAsync(ImTestHost host, ValueTask<int> asking)
    {
        var asked = asking.AsTask();
        await EventuallyAsync(() =>
        {
            host.Time.Advance(TimeSpan.FromMilliseconds(200));
            return asked.IsCompleted;
        });
        var error = await Assert.ThrowsAsync<ImException>(() => asked);
        Assert.Equal(ImErrorCode.ClusterUnavailable, error.Code);
        return error;
    }

    private static async Task EventuallyAsync(Func<bool> condition)
    {
        var until = TimeProvider.System.GetUtcNow() + Limit;
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetUtcNow() < until, "It did not happen in time.");
            await Task.Delay(10);
        }
    }

    private Task<ImTestHost> StartAsync() => ImTestHost.StartAsync(im =>
    {
        im.AllowAllRooms();
        if (!_knowsQuestions(_nodes++))
        {
            foreach (var question in im.Services.Where(one => one.ImplementationType == typeof(CountRoomSubscribers) || one.ImplementationType == typeof(RemoveRoomSubscribers)).ToArray())
            {
                im.Services.Remove(question);
            }
        }

        im.Services.AddSingleton<IBackplane>(provider =>
        {
            _backplanes.Add(new FaultyBackplane(provider.GetRequiredService<InMemoryCluster>()));
            return _backplanes[^1];
        });
        im.Services.AddSingleton<ISessionDirectory>(provider =>
        {
            _directories.Add(new FaultyDirectory(provider.GetRequiredService<InMemoryCluster>()));
            return _directories[^1];
        });
    }).WaitAsync(Limit);
}
