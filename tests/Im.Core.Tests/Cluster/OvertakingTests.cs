using Im.Client;
using Im.Cluster;
using Im.Cluster.Wire;
using Im.Diagnostics;
using Im.Groups;
using Im.Messaging;
using Im.Model;
using Im.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Abstractions;

namespace Im.Core.Tests.Cluster;

/// <summary>
/// What two nodes tell each other arrives late and in any order between them: changes of who gets a group's messages, and how, overtake each other and the
/// messages. No clock moves, so that no check finds afterwards what was not delivered.
/// </summary>
public sealed class OvertakingTests(ITestOutputHelper output)
{
    private const int Runs = 10;
    private const int Steps = 80;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly string[] Switched = ["ann", "bob", "cyd", "dan"];

    private readonly int _seed = int.TryParse(Environment.GetEnvironmentVariable("IM_SEED"), out var seed) ? seed : Random.Shared.Next();

    [Fact]
    public async Task EveryDeviceHasEachOfItsMessagesOnce()
    {
        for (var i = 0; i < Runs; i++)
        {
            output.WriteLine($"IM_SEED={_seed + i}");
            await RunAsync(new Random(_seed + i));
        }
    }

    [Fact]
    public async Task AChangeThatIsLostWhileAUserSignsInIsNoticed()
    {
        var backplanes = new List<FaultyBackplane>();
        await using var host = await ImTestHost.StartAsync(im => im.Services.AddSingleton<IBackplane>(provider =>
        {
            backplanes.Add(new FaultyBackplane(provider.GetRequiredService<InMemoryCluster>()));
            return backplanes[^1];
        })).WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        var group = await host.Server.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new("g"), ActorId = "ann", MemberIds = ["ann"], Fanout = "read" });
        var (reached, released) = (new TaskCompletionSource(), new TaskCompletionSource());
        second.Services.GetRequiredService<Checkpoints>().OnReached = async (checkpoint, _) =>
        {
            if (checkpoint == Checkpoint.SignInRead && reached.TrySetResult())
            {
                await released.Task.WaitAsync(Limit);
            }
        };
        var connecting = host.ConnectAsync("bob", node: second);
        await reached.Task.WaitAsync(Limit);
        backplanes[0].Loses = (_, bytes) => NodeMessage.Parser.ParseFrom(bytes.Span).Commits.Count > 0;
        await host.Server.Groups.AddMembersAsync("g", ["bob"], "ann").AsTask().WaitAsync(Limit);
        var direct = new OutgoingMessage { SenderId = "$host", ToUserId = "bob", Content = MessageContent.FromText("1") };
        await second.Server.Messages.SendAsync(direct).AsTask().WaitAsync(Limit);
        released.SetResult();
        var bob = await connecting.WaitAsync(Limit);
        backplanes[0].Loses = (_, _) => false;
        var toGroup = new OutgoingMessage { SenderId = "ann", ConversationId = group.ConversationId, Content = MessageContent.FromText("2") };
        await host.Server.Messages.SendAsync(toGroup).AsTask().WaitAsync(Limit);

        var until = TimeProvider.System.GetUtcNow() + Limit;
        while (bob.Messages.Count < 2)
        {
            Assert.True(TimeProvider.System.GetUtcNow() < until, $"It has {bob.Messages.Count}.");
            host.Time.Advance(TimeSpan.FromMilliseconds(200));
            await Task.Delay(5);
        }

        Assert.Equal(["1", "2"], bob.Messages.Select(message => message.Content.Text));
    }

    private static async Task RunAsync(Random random)
    {
        var backplanes = new List<FaultyBackplane>();
        await using var host = await ImTestHost.StartAsync(im => im.Services.AddSingleton<IBackplane>(provider =>
        {
            backplanes.Add(new FaultyBackplane(provider.GetRequiredService<InMemoryCluster>()));
            return backplanes[^1];
        })).WaitAsync(Limit);
        var second = await host.AddNodeAsync();
        ImTestNode[] nodes = [host.Nodes[0], second];
        var group = await host.Server.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new("g"), ActorId = "ann", MemberIds = Switched });
        var devices = new Dictionary<string, ImTestDevice>
        {
            ["ann"] = await host.ConnectAsync("ann"),
            ["bob"] = await host.ConnectAsync("bob", node: second),
            ["cyd"] = await host.ConnectAsync("cyd"),
            ["dan"] = await host.ConnectAsync("dan", node: second),
        };
        var target = ImTarget.Conversation(group.ConversationId);
        var members = Switched.ToHashSet();
        var expected = Switched.ToDictionary(userId => userId, _ => new List<string>());
        var fanout = "write";
        backplanes.ForEach(backplane => backplane.Hold());
        for (var step = 0; step < Steps; step++)
        {
            var node = nodes[random.Next(2)];
            switch (random.Next(10))
            {
                case < 2:
                    fanout = fanout == "write" ? "read" : "write";
                    await node.Server.Groups.SetFanoutAsync("g", fanout, "ann").AsTask().WaitAsync(Limit);
                    break;
                case 2:
                    var userId = random.Next(2) == 0 ? "cyd" : "dan";
                    if (members.Remove(userId))
                    {
                        await node.Server.Groups.RemoveMembersAsync("g", [userId], "ann").AsTask().WaitAsync(Limit);
                    }
                    else
                    {
                        members.Add(userId);
                        await node.Server.Groups.AddMembersAsync("g", [userId], "ann").AsTask().WaitAsync(Limit);
                    }

                    break;
                case < 7:
                    var text = $"{step}";
                    await devices[random.Next(2) == 0 ? "ann" : "bob"].SendTextAsync(target, text).WaitAsync(Limit);
                    foreach (var member in members)
                    {
                        expected[member].Add(text);
                    }

                    break;
                default:
                    await backplanes[random.Next(2)].ReleaseAsync(random.Next(1, 4));
                    break;
            }
        }

        await Task.WhenAll(backplanes.Select(backplane => backplane.ReleaseAllAsync()));
        foreach (var (userId, texts) in expected)
        {
            // A last message for each, so that whatever comes twice or should not come has come before.
            await host.Server.Messages.SendAsync(new OutgoingMessage { SenderId = "$end", ToUserId = userId, Content = MessageContent.FromText("end") });
            var device = devices[userId];
            try
            {
                await device.WaitForMessagesAsync(texts.Count + 1);
            }
            catch (TimeoutException)
            {
                // What it has says more.
            }

            var received = device.Messages.Select(message => message.Content.Text).Where(text => text != "end").OrderBy(int.Parse).ToArray();
            Assert.True(
                texts.SequenceEqual(received),
                $"{userId}: {string.Join(" ", received)}; expected: {string.Join(" ", texts)}; events: {Describe(device)}");
        }
    }

    private static string Describe(ImTestDevice device) => string.Join(
        " ",
        device.Events.OfType<ImEntryEvent>().Select(one => $"{one.Entry.BodyCase}{one.Entry.ConversationSeq}{(one.IsInbox ? "i" : "c")}"));
}
