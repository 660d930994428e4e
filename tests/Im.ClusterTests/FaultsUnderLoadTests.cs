using System.Diagnostics;
using Im.ClusterTests.Cluster;
using Im.ClusterTests.Faults;
using Im.ClusterTests.Load;
using Xunit.Abstractions;

namespace Im.ClusterTests;

/// <summary>
/// Three nodes, MariaDB and Redis, devices on all of them, and everything goes wrong while messages flow. IM_CLUSTER_DEVICES, IM_CLUSTER_MESSAGES and
/// IM_CLUSTER_FAULTS (how often each fault) set the size, IM_CLUSTER_RATE how many messages a second at most, IM_CLUSTER_PAUSE for how many seconds Redis
/// stands still, IM_CLUSTER_ONLY a part of the faults' names, IM_SEED the order of things.
/// </summary>
public sealed class FaultsUnderLoadTests(ITestOutputHelper output)
{
    // What says why a fault took long.
    private static readonly string[] Told =
        ["im.sends{", "im.commit.retries{", "im.commit.failures{", "im.storage.retries{", "im.sessions.behind", "im.catch_up.pages{", "im.cluster.missed", "im.cluster.rejoins"];

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact(Timeout = 3_600_000)]
    public async Task NothingIsLostDoubledOrReorderedWhileEverythingFailsInTurn()
    {
        var seed = Setting("IM_SEED", Random.Shared.Next());
        var (devices, messages, times, rate) =
            (Setting("IM_CLUSTER_DEVICES", 60), Setting("IM_CLUSTER_MESSAGES", 6000), Setting("IM_CLUSTER_FAULTS", 1), Setting("IM_CLUSTER_RATE", 200));
        output.WriteLine($"IM_SEED={seed}");
        var random = new Random(seed);

        // The clocks are apart from the beginning.
        string[] clocks = ["00:00:00", "00:05:00", "-00:05:00"];
        await using var cluster = await TestCluster.StartAsync(3, i => ["--clock", clocks[i]]);
        await cluster.WhenHealthyAsync();
        var (problems, interruptions) = (new Problems(), new Interruptions());
        var book = new MessageBook(messages, problems);
        await using var world = await World.CreateAsync(cluster, devices, random, book, problems, interruptions);
        var driver = new LoadDriver(world, book, problems, interruptions, seed);
        var all = Fault.All(TimeSpan.FromSeconds(Setting("IM_CLUSTER_PAUSE", 4)));
        var only = Environment.GetEnvironmentVariable("IM_CLUSTER_ONLY") ?? "";
        var faults = Enumerable.Repeat(all, times).SelectMany(faults => faults).Where(fault => fault.Name.Contains(only, StringComparison.OrdinalIgnoreCase)).ToArray();
        random.Shuffle(faults);

        var start = Stopwatch.GetTimestamp();
        try
        {
            var sending = driver.RunAsync(rate, CancellationToken.None);
            interruptions.Begin("none");
            await Task.Delay(1000);
            foreach (var fault in faults)
            {
                var window = interruptions.Begin(fault.Name);
                var began = Stopwatch.GetTimestamp();
                await fault.InjectAsync(cluster, random);
                var over = Stopwatch.GetElapsedTime(began);
                var last = await WhenCalmAsync(cluster, world, driver);
                window.Calm = Stopwatch.GetElapsedTime(began);
                Note($"{fault.Name}: took {over.TotalSeconds:0.0} s, calm after {window.Calm.TotalSeconds:0.0} s; {book.Acked} of {messages} acked. The last to come back: {last}");
                foreach (var node in cluster.Nodes)
                {
                    Note($"    {node.Name}: {string.Join(", ", (await node.GetFiguresAsync()).Where(pair => Told.Any(name => pair.Key.StartsWith(name, StringComparison.Ordinal))).Select(pair => $"{pair.Key[3..]} {pair.Value}"))}");
                }

                interruptions.Begin("Devices sent back to the nodes where they began");
                await SpreadAsync(cluster, world, driver);
                interruptions.Begin("none");
                await Task.Delay(random.Next(200, 1000));
            }

            await sending.WaitAsync(TimeSpan.FromHours(1));
            await driver.WhenSettledAsync(Patience);
            await Verification.RunAsync(cluster, world, book, problems);
        }
        catch
        {
            output.WriteLine(interruptions.Describe());
            foreach (var node in cluster.Nodes)
            {
                output.WriteLine($"--- {node.Name}\n{string.Join('\n', node.Log.Split('\n').TakeLast(60))}");
            }

            problems.AssertNone();
            throw;
        }

        Note($"{devices} devices, {book.Sent} messages, {book.Deliveries} deliveries in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s: none lost, doubled or out of order.");
        Note(interruptions.Describe());
    }

    // A client stays where it is: after a few faults all would be on one node, and nothing would have to cross.
    private static async Task SpreadAsync(TestCluster cluster, World world, LoadDriver driver)
    {
        for (var round = 1; round < cluster.Nodes.Count; round++)
        {
            foreach (var node in cluster.Nodes)
            {
                await node.SendAwayAsync(world.Devices.Where(device => device.Home != node.Address).Select(device => $"{device.UserId}/{device.DeviceId}"));
            }

            await WhenCalmAsync(cluster, world, driver);
        }
    }

    // All connected, all nodes healthy and aware of each other, and nothing late. Returns what was missing last.
    private static async Task<string> WhenCalmAsync(TestCluster cluster, World world, LoadDriver driver)
    {
        var last = "nothing";
        await Wait.UntilAsync(
            async () =>
            {
                var missing = await FindMissingAsync(cluster, world, driver);
                last = missing ?? last;
                return missing;
            },
            Patience);
        return last;
    }

    private static async Task<string?> FindMissingAsync(TestCluster cluster, World world, LoadDriver driver)
    {
        var away = world.Devices.Where(device => device.Client.State != Client.ImClientState.Connected).ToArray();
        if (away.Length > 0)
        {
            return $"{away.Length} devices are not connected: {string.Join(", ", away.Take(5).Select(device => $"{device} {device.Client.State}"))}";
        }

        if (driver.DescribeOpen(TimeSpan.FromSeconds(1)) is { } open)
        {
            return open;
        }

        foreach (var node in cluster.Nodes)
        {
            var health = await node.GetHealthAsync();
            if (health.Status != "Healthy" || health.Data["nodes"].Split(", ").Length != cluster.Nodes.Count)
            {
                return $"{node.Name} is {health.Status}: {health.Description} It knows {health.Data["nodes"]}.";
            }
        }

        return null;
    }

    private void Note(string line)
    {
        output.WriteLine(line);
        Console.WriteLine(line);
    }

    private static int Setting(string name, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value : standard;
}
