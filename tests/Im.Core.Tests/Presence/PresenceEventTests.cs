using Im.Cluster;
using Im.Presence;
using Im.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Core.Tests.Presence;

/// <summary>What the host's listeners are told, in a cluster of two nodes.</summary>
public sealed class PresenceEventTests : PresenceTest
{
    // Whatever devices do on whichever node, the events are those of a model that only knows which devices are there.
    [Fact]
    public async Task EachEdgeIsToldOnceWhateverDevicesDoOnTwoNodes()
    {
        var seed = Environment.GetEnvironmentVariable("IM_SEED") is { Length: > 0 } given ? int.Parse(given, System.Globalization.CultureInfo.InvariantCulture) : Random.Shared.Next();
        Console.WriteLine($"IM_SEED={seed}");
        var recorder = new Recorder();
        await using var host = await ImTestHost.StartAsync(im => im.Services.AddSingleton<IPresenceListener>(recorder)).WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(number => RunAsync(host, recorder, $"user{number}", new Random(seed + number), seed))).WaitAsync(Limit);
        Assert.Contains(recorder.Events, item => item.NodeName == second.Name);
        Assert.Contains(recorder.Events, item => item.NodeName == host.Nodes[0].Name);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(2)]
    public async Task TheUsersOfADeadNodeGoOfflineOnce(int? breaksOffAfter)
    {
        var recorder = new Recorder();
        var directories = new List<CuttableDirectory>();
        await using var host = await ImTestHost.StartAsync(im =>
        {
            im.Services.AddSingleton<IPresenceListener>(recorder);
            im.Services.AddSingleton<ISessionDirectory>(provider =>
            {
                var directory = new CuttableDirectory(new InMemorySessionDirectory(provider.GetRequiredService<InMemoryCluster>()));
                directories.Add(directory);
                return directory;
            });
        }).WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        await host.AddNodeAsync();
        for (var i = 0; i < 5; i++)
        {
            await host.ConnectAsync($"u{i}", node: second);
        }

        await host.ConnectAsync("u0", "laptop");
        directories.ForEach(directory => directory.BreaksOffAfter = breaksOffAfter);
        directories[1].IsCut = true;
        await Eventually(host, () => recorder.Events.Count(item => item.Kind == PresenceEventKind.DeviceDisconnected) == 5);
        await Pass(host, TimeSpan.FromSeconds(20));

        Assert.Equal(["u1", "u2", "u3", "u4"], recorder.Events.Where(item => item.Kind == PresenceEventKind.UserOffline).Select(item => item.UserId).Order());
        Assert.Equal(5, recorder.Events.Count(item => item.Kind == PresenceEventKind.DeviceDisconnected));
        Assert.Equal(5, recorder.Events.Count(item => item.Kind == PresenceEventKind.UserOnline));
        Assert.All(recorder.Events.Where(item => item.Kind == PresenceEventKind.UserOffline), item => Assert.Equal(second.Name, item.NodeName));

        // It comes back: its users are told as online again, and once.
        directories[1].IsCut = false;
        await Eventually(host, () => recorder.Events.Count(item => item.Kind == PresenceEventKind.UserOnline) == 9);
        await Pass(host, TimeSpan.FromSeconds(20));
        Assert.Equal(9, recorder.Events.Count(item => item.Kind == PresenceEventKind.UserOnline));
    }

    // The lease was lost and taken again before anybody noticed: nobody was away.
    [Fact]
    public async Task SessionsThatAreRegisteredAgainRaiseNothing()
    {
        var recorder = new Recorder();
        await using var host = await ImTestHost.StartAsync(im => im.Services.AddSingleton<IPresenceListener>(recorder)).WaitAsync(Limit);
        await host.ConnectAsync("ann");
        await Eventually(host, () => recorder.Events.Length == 2);
        var state = host.Services.GetRequiredService<ClusterState>();
        var epoch = state.View.Epoch;
        RunOut(host, state.Node.Name);
        await Eventually(host, () => state.View.Epoch > epoch);
        await Pass(host, TimeSpan.FromSeconds(5));
        Assert.Equal([PresenceEventKind.DeviceConnected, PresenceEventKind.UserOnline], recorder.Events.Select(item => item.Kind));
    }

    // Not by the clock: a lease loop that keeps pace with it would renew in time.
    private static void RunOut(ImTestHost host, string nodeName)
    {
        var cluster = host.Services.GetRequiredService<InMemoryCluster>();
        lock (cluster.Lock)
        {
            cluster.Leases[nodeName].Until = DateTimeOffset.MinValue;
        }
    }

    [Fact]
    public async Task AListenerThatFailsHoldsNobodyBackAndAStoppedNodeTellsItsLastEvents()
    {
        var recorder = new Recorder();
        await using (var host = await ImTestHost.StartAsync(im =>
        {
            im.AddPresenceListener<Failing>();
            im.Services.AddSingleton<IPresenceListener>(recorder);
        }).WaitAsync(Limit))
        {
            await host.ConnectAsync("ann");
            await Eventually(host, () => recorder.Events.Length == 2);
            await host.RestartAsync().WaitAsync(Limit);
            await Eventually(host, () => recorder.Events.Length == 6);
        }

        Assert.Equal(
            [
                PresenceEventKind.DeviceConnected, PresenceEventKind.UserOnline, PresenceEventKind.DeviceDisconnected, PresenceEventKind.UserOffline,
                PresenceEventKind.DeviceConnected, PresenceEventKind.UserOnline, PresenceEventKind.DeviceDisconnected, PresenceEventKind.UserOffline,
            ],
            recorder.Events.Select(item => item.Kind));
    }

    // The answers to a removal and to a sign-in may be taken in the other order than the directory gave them.
    [Fact]
    public async Task WhatTheDirectoryAnsweredFirstIsToldFirst()
    {
        var recorder = new Recorder();
        await using var host = await ImTestHost.StartAsync(im => im.Services.AddSingleton<IPresenceListener>(recorder)).WaitAsync(Limit);
        ISessionObserver observer = host.Services.GetRequiredService<PresencePublisher>();
        DirectorySession Make(string device) => new()
        {
            UserId = "ann",
            DeviceId = device,
            NodeName = host.Nodes[0].Name,
            Epoch = 1,
            ConnectionId = device,
        };
        var (first, second) = (Make("d1"), Make("d2"));
        observer.Registered(first, new Registration(1, null, 0));
        observer.Ending(first);
        observer.Registered(second, new Registration(2, null, 0));
        observer.Removed(first, new Removal(true, 0));
        observer.Ending(second);
        observer.Removed(second, new Removal(true, 0));
        await Eventually(host, () => recorder.Events.Length == 8);
        Assert.Equal(
            ["DeviceConnected d1", "UserOnline d1", "DeviceDisconnected d1", "UserOffline d1", "DeviceConnected d2", "UserOnline d2", "DeviceDisconnected d2", "UserOffline d2"],
            recorder.Events.Select(item => $"{item.Kind} {item.DeviceId}"));
    }

    private static async Task RunAsync(ImTestHost host, Recorder recorder, string userId, Random random, int seed)
    {
        var model = new Dictionary<string, ImTestDevice>();
        var expected = new List<(PresenceEventKind, string)>();
        for (var step = 0; step < 40; step++)
        {
            var deviceId = "d" + random.Next(3);
            if (model.TryGetValue(deviceId, out var old) && random.Next(3) > 0)
            {
                await old.DisposeAsync();
                model.Remove(deviceId);
                expected.Add((PresenceEventKind.DeviceDisconnected, deviceId));
                if (model.Count == 0)
                {
                    expected.Add((PresenceEventKind.UserOffline, deviceId));
                }
            }
            else
            {
                // In place of an older session, if there is one.
                model[deviceId] = await host.ConnectAsync(userId, deviceId, node: host.Nodes[random.Next(2)]);
                if (old is not null)
                {
                    await old.WaitForCloseAsync();
                    await old.DisposeAsync();
                }
                else
                {
                    expected.Add((PresenceEventKind.DeviceConnected, deviceId));
                    if (model.Count == 1)
                    {
                        expected.Add((PresenceEventKind.UserOnline, deviceId));
                    }
                }
            }

            await Until(() => recorder.Of(userId).Length >= expected.Count && DirectoryOf(host, userId).Order().SequenceEqual(model.Keys.Order()));
            Assert.True(
                expected.SequenceEqual(recorder.Of(userId).Select(item => (item.Kind, item.DeviceId))),
                $"IM_SEED={seed}, {userId}, step {step}: {string.Join(", ", recorder.Of(userId).Select(item => $"{item.Kind} {item.DeviceId}"))}");
        }
    }

    private static async Task Until(Func<bool> condition)
    {
        var until = TimeProvider.System.GetUtcNow() + Limit;
        while (!condition() && TimeProvider.System.GetUtcNow() < until)
        {
            await Task.Delay(2);
        }
    }

    private sealed class Failing : IPresenceListener
    {
        public ValueTask ChangedAsync(IReadOnlyList<PresenceEvent> events, CancellationToken cancellationToken) => throw new InvalidOperationException("no");
    }
}
