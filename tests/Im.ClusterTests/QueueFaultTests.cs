using System.Diagnostics;
using Im.ClusterTests.Cluster;
using Im.ClusterTests.Faults;
using Im.ClusterTests.Load;
using Xunit.Abstractions;

namespace Im.ClusterTests;

/// <summary>
/// The queue of the host's sends while nodes that drain it are killed. IM_CLUSTER_QUEUED and IM_CLUSTER_KILLS set the size, IM_SEED the moments.
/// </summary>
[Collection(SharedClusterCollection.Name)]
public sealed class QueueFaultTests(SharedCluster shared, ITestOutputHelper output) : IAsyncLifetime
{
    private const int Recipients = 4;
    private const int Senders = 3;

    public Task InitializeAsync() => shared.Cluster.WhenHealthyAsync();

    public Task DisposeAsync()
    {
        foreach (var node in shared.Cluster.Nodes)
        {
            output.WriteLine($"--- {node.Name}\n{string.Join('\n', node.Log.Split('\n').TakeLast(40))}");
        }

        return Task.CompletedTask;
    }

    [Fact(Timeout = 900_000)]
    public async Task QueuedSendsArriveOnceAndInOrderWhenNodesThatDrainThemAreKilled()
    {
        var (messages, kills) = (Setting("IM_CLUSTER_QUEUED", 1000), Setting("IM_CLUSTER_KILLS", 1));
        var seed = Setting("IM_SEED", Random.Shared.Next());
        output.WriteLine($"IM_SEED={seed}");
        var random = new Random(seed);
        var people = new List<Person>();
        for (var i = 0; i < Recipients; i++)
        {
            var (first, second) = i % 2 == 0 ? (shared.One, shared.Two) : (shared.Two, shared.One);
            people.Add(await Person.ConnectAsync(shared.NewUser("reader"), "d", first, second));
        }

        try
        {
            await RunAsync(people, messages, kills, random);
        }
        finally
        {
            foreach (var person in people)
            {
                await person.DisposeAsync();
            }
        }
    }

    private async Task RunAsync(List<Person> people, int messages, int kills, Random random)
    {
        var sender = shared.NewUser("$bulk");
        var sends = Enumerable.Range(0, messages)
            .Select(i => (SenderId: $"{sender}-{i % Senders}", ToUserId: people[i % Recipients].UserId, Text: $"{sender}-{i % Senders} {i}")).ToArray();
        var queued = 0;
        foreach (var some in sends.Chunk(500))
        {
            var outcomes = await shared.One.SendAsync(some);
            Assert.All(outcomes, outcome => Assert.True(outcome is "Stored" or "Queued", outcome));
            queued += outcomes.Count(outcome => outcome == "Queued");
        }

        var start = Stopwatch.GetTimestamp();
        var drain = new QueueDrain(shared.Cluster);
        var restarting = Task.CompletedTask;
        for (var kill = 0; kill < kills; kill++)
        {
            // Each time the other one: the one that was killed is back before who went on is killed.
            await restarting;
            var killed = kill % 2 == 0 ? await drain.KillBeforeRemovalAsync() : await drain.KillAfterAsync(random.Next(1, Math.Max(2, messages / (2 * kills))));
            var left = await drain.CountRowsAsync();
            output.WriteLine($"{killed.Name} was killed after {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s, {left} of {queued} rows were left.");
            Assert.True(left > 0, "Everything was sent already: the test shows nothing.");
            var other = shared.Cluster.Nodes.Find(node => node != killed)!;
            var duplicates = await DuplicatesAsync(other);
            await drain.WhenTakenOverAsync(other);
            if (kill % 2 == 0)
            {
                // What was stored and not removed is sent again.
                await Wait.UntilAsync(async () => await DuplicatesAsync(other) > duplicates ? null : $"{other.Name} has sent nothing again.");
            }

            // Not before: it could be the one that goes on.
            restarting = killed.RestartAsync();
        }

        await Wait.UntilAsync(async () => await drain.CountRowsAsync() is var left && left == 0 ? null : $"{left} rows are left.", TimeSpan.FromSeconds(60));
        await restarting;
        foreach (var person in people)
        {
            await Wait.UntilAsync(
                () => person.Heard.Count >= sends.Count(send => send.ToUserId == person.UserId), $"{person.UserId} has {person.Heard.Count} of {sends.Length / Recipients}.");
            AssertOnceAndInOrder(person, sends);
        }

        Assert.Equal(messages, await shared.Cluster.QueryAsync($"SELECT COUNT(*) FROM im_entries WHERE sender_id LIKE '{sender}-%'"));
        output.WriteLine($"{messages} messages, {queued} of them queued, {kills} kills: each arrived once and in order, {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s.");
        await shared.Cluster.WhenHealthyAsync();
    }

    private static async Task<long> DuplicatesAsync(NodeProcess node) =>
        (await node.GetFiguresAsync()).GetValueOrDefault("im.sends{outcome=duplicate}");

    private static void AssertOnceAndInOrder(Person person, (string SenderId, string ToUserId, string Text)[] sends)
    {
        foreach (var bySender in sends.Where(send => send.ToUserId == person.UserId).GroupBy(send => send.SenderId, send => send.Text))
        {
            Assert.Equal(bySender, person.Heard.Where(text => text.StartsWith(bySender.Key + " ", StringComparison.Ordinal)));
        }
    }

    private static int Setting(string name, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value : standard;
}
