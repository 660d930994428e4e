using System.Collections.Concurrent;
using Im.Client;
using Im.Cluster;
using Im.Groups;
using Im.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Abstractions;

namespace Im.Core.Tests.Cluster;

/// <summary>
/// Three nodes, a backplane that loses messages, devices that are cut and move, groups that are switched, leases that run out: whatever was acked is on
/// every member's device exactly once.
/// </summary>
public sealed class ClusterModelTests(ITestOutputHelper output)
{
    private const int Users = 6;
    private const int Groups = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly int _seed = int.TryParse(Environment.GetEnvironmentVariable("IM_SEED"), out var seed) ? seed : Random.Shared.Next();
    private readonly ConcurrentBag<FaultyBackplane> _backplanes = [];
    private volatile bool _loses;

    [Fact]
    public async Task WhateverWasAckedIsOnEveryMembersDeviceExactlyOnce()
    {
        output.WriteLine($"IM_SEED={_seed}");
        var random = new Random(_seed);
        await using var host = await ImTestHost.StartAsync(AddFaults).WaitAsync(Limit);
        await host.AddNodeAsync();
        await host.AddNodeAsync();
        host.WaitLimit = TimeSpan.FromSeconds(30);
        using var stop = new CancellationTokenSource();
        var clock = RunClockAsync(host, stop.Token);

        var members = await CreateGroupsAsync(host, random);
        var devices = new List<ImTestDevice>();
        for (var user = 0; user < Users; user++)
        {
            devices.Add(await host.ConnectAsync("u" + user, "phone", node: host.Nodes[random.Next(3)]));
            devices.Add(await host.ConnectAsync("u" + user, "laptop", node: host.Nodes[random.Next(3)]));
        }

        _loses = true;
        var acked = new ConcurrentDictionary<string, string>();
        await Task.WhenAll([.. devices.Select((device, i) => SendAsync(device, members, acked, new Random(_seed + i))), DisturbAsync(host, devices, random)]).WaitAsync(Limit);
        _loses = false;

        foreach (var device in devices)
        {
            string[] expected = [.. acked.Where(one => members[one.Value].Contains(device.UserId)).Select(one => one.Key).Order(StringComparer.Ordinal)];
            var messages = await device.WaitForMessagesAsync(expected.Length);
            Assert.Equal(expected, messages.Select(entry => entry.ClientMessageId).Order(StringComparer.Ordinal));
        }

        await stop.CancelAsync();
        await clock;
    }

    private void AddFaults(IImServerBuilder im)
    {
        im.Services.Configure<ImServerOptions>(options => options.HeadCheckInterval = TimeSpan.FromSeconds(2));
        im.Services.AddSingleton<IBackplane>(provider =>
        {
            var random = new Random(_seed);
            var backplane = new FaultyBackplane(provider.GetRequiredService<InMemoryCluster>());
            backplane.Loses = (_, _) => _loses && random.Next(10) == 0;
            _backplanes.Add(backplane);
            return backplane;
        });
    }

    private static async Task<Dictionary<string, HashSet<string>>> CreateGroupsAsync(ImTestHost host, Random random)
    {
        var members = new Dictionary<string, HashSet<string>>();
        for (var i = 0; i < Groups; i++)
        {
            string[] chosen = [.. Enumerable.Range(0, Users).Where(_ => random.Next(3) > 0).Append(i).Distinct().Select(user => "u" + user)];
            var group = new NewGroup { GroupId = "g" + i, Info = new("g" + i), ActorId = "u" + i, MemberIds = chosen, Fanout = i % 2 == 0 ? "write" : "read" };
            members.Add((await host.Server.Groups.CreateAsync(group)).ConversationId, [.. chosen]);
        }

        return members;
    }

    private static async Task SendAsync(
        ImTestDevice device, Dictionary<string, HashSet<string>> members, ConcurrentDictionary<string, string> acked, Random random)
    {
        string[] own = [.. members.Where(pair => pair.Value.Contains(device.UserId)).Select(pair => pair.Key)];
        for (var i = 0; i < 40 && own.Length > 0; i++)
        {
            var conversationId = own[random.Next(own.Length)];
            var ack = await device.SendTextAsync(ImTarget.Conversation(conversationId), $"{device.UserId} {device.DeviceId} {i}");
            Assert.True(acked.TryAdd(ack.ClientMessageId, conversationId));
        }
    }

    private static async Task DisturbAsync(ImTestHost host, List<ImTestDevice> devices, Random random)
    {
        for (var i = 0; i < 25; i++)
        {
            var device = devices[random.Next(devices.Count)];
            switch (random.Next(5))
            {
                case 0:
                    await host.CutAsync(device);
                    await host.ReconnectAsync(device);
                    break;
                case 1:
                    await host.MoveAsync(device, host.Nodes[random.Next(3)]);
                    break;
                case 2:
                    await host.Nodes[random.Next(3)].Server.Groups.SetFanoutAsync("g" + random.Next(Groups), random.Next(2) == 0 ? "read" : "write", "u0");
                    break;
                case 3:
                    await host.RestartAsync(host.Nodes[random.Next(3)]);
                    break;
                default:
                    // All nodes stand still for longer than their leases.
                    host.Time.Advance(TimeSpan.FromSeconds(30));
                    break;
            }
        }
    }

    // The servers' clock runs: probes, leases and head checks are due.
    private static async Task RunClockAsync(ImTestHost host, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            host.Time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Delay(5, CancellationToken.None);
        }
    }
}
