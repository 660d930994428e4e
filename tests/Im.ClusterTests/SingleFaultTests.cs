using Im.ClusterTests.Cluster;
using Im.ClusterTests.Faults;
using Im.ClusterTests.Load;
using Xunit.Abstractions;

namespace Im.ClusterTests;

/// <summary>One fault each, with the outcome that docs/cluster.md promises. Node one's clock is 5 minutes slow, node two's 5 minutes fast.</summary>
[Collection(SharedClusterCollection.Name)]
public sealed class SingleFaultTests(SharedCluster shared, ITestOutputHelper output) : IAsyncLifetime
{
    private TestCluster Cluster => shared.Cluster;

    private NodeProcess One => shared.One;

    private NodeProcess Two => shared.Two;

    public Task InitializeAsync() => Cluster.WhenHealthyAsync();

    public Task DisposeAsync()
    {
        foreach (var node in Cluster.Nodes)
        {
            output.WriteLine($"--- {node.Name}\n{string.Join('\n', node.Log.Split('\n').TakeLast(40))}");
        }

        return Task.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public async Task ClocksTenMinutesApartCostNoLeaseAndNoMessage()
    {
        var before = await RejoinsAsync();
        var (alice, bob) = await PairAsync();
        await using var a = alice;
        await using var b = bob;
        for (var i = 0; i < 20; i++)
        {
            await alice.SayAsync(bob, $"from slow {i}");
            await bob.SayAsync(alice, $"from fast {i}");
        }

        await bob.HearAsync("from slow 19", 5);
        await alice.HearAsync("from fast 19", 5);
        Assert.Equal(bob.Heard, alice.Heard);
        Assert.Equal(40, alice.Heard.Count);
        Assert.Equal(before, await RejoinsAsync());
    }

    [Fact(Timeout = 60_000)]
    public async Task RedisThatComesBackEmptyIsFilledAgainByTheNodes()
    {
        var before = await RejoinsAsync();
        var (alice, bob) = await PairAsync();
        await using var a = alice;
        await using var b = bob;
        await Cluster.Redis.KillAsync();
        await alice.SayAsync(bob, "while Redis is away");
        await WhenStatusAsync(One, "Degraded");
        await bob.HearAsync("while Redis is away", 10);
        await Cluster.Redis.RestartAsync();
        await Cluster.WhenHealthyAsync();

        // Both took a new epoch, and bob's session stands in the directory again: found by who sends to him.
        Assert.True(await RejoinsAsync() >= before + 2);
        await Wait.UntilAsync(async () => await RedisCli.AskAsync(Cluster.Redis, "DBSIZE") is "0" ? "Redis is empty." : null);
        await alice.SayAsync(bob, "now live");
        await bob.HearAsync("now live", 3);
        bob.AssertHeardEachOnce();
    }

    [Fact(Timeout = 60_000)]
    public async Task RedisThatStandsStillDelaysAndLosesNothing()
    {
        var (alice, bob) = await PairAsync();
        await using var a = alice;
        await using var b = bob;
        Cluster.Redis.Freeze();
        try
        {
            // The store takes it, other nodes read it there.
            await alice.SayAsync(bob, "while Redis stands still");
            await bob.HearAsync("while Redis stands still", 10);
            await WhenStatusAsync(One, "Degraded");
            await WhenStatusAsync(Two, "Degraded");

            // Signing in goes on, on each node by itself.
            await using var carol = await Person.ConnectAsync(shared.NewUser("carol"), "d", One);
            await carol.SayAsync(alice, "new here");
            await alice.HearAsync("new here", 5);
        }
        finally
        {
            Cluster.Redis.Thaw();
        }

        await Cluster.WhenHealthyAsync();
        await alice.SayAsync(bob, "after it");
        await bob.HearAsync("after it", 3);
        bob.AssertHeardEachOnce();
    }

    [Fact(Timeout = 60_000)]
    public async Task CutPubSubConnectionsComeBackAndWhatWasMissedIsReadFromTheStore()
    {
        var (alice, bob) = await PairAsync();
        await using var a = alice;
        await using var b = bob;
        for (var i = 0; i < 10; i++)
        {
            await RedisCli.AskAsync(Cluster.Redis, "CLIENT", "KILL", "TYPE", "pubsub");
            await alice.SayAsync(bob, $"cut {i}");
        }

        await bob.HearAsync("cut 9", 10);
        Assert.Equal(10, bob.Heard.Count);
        bob.AssertHeardEachOnce();
        await Cluster.WhenHealthyAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task AKilledNodesDevicesGoOnAtAnotherAndItsNameIsFreeAgainAfterTheLease()
    {
        await using var alice = await Person.ConnectAsync(shared.NewUser("alice"), "d", One);
        await using var bob = await Person.ConnectAsync(shared.NewUser("bob"), "d", Two, One);
        await Two.KillAsync();
        await alice.SayAsync(bob, "your node is dead");
        await bob.HearAsync("your node is dead", 10);
        await Wait.UntilAsync(async () => (await One.GetHealthAsync()).Data["nodes"] is "node1" ? null : "node2 counts as living.", TimeSpan.FromSeconds(10));
        await Two.RestartAsync();
        await Cluster.WhenHealthyAsync();
        await using var carol = await Person.ConnectAsync(shared.NewUser("carol"), "d", Two);
        await carol.SayAsync(bob, "it is back");
        await bob.HearAsync("it is back", 5);
        bob.AssertHeardEachOnce();
    }

    [Fact(Timeout = 60_000)]
    public async Task ANodeThatCleansUpAfterADeadOneKeepsItsLeaseWhileTheDatabaseStandsStill()
    {
        await using var alice = await Person.ConnectAsync(shared.NewUser("alice"), "d", One);
        await using var bob = await Person.ConnectAsync(shared.NewUser("bob"), "d", One);
        var before = (await One.GetFiguresAsync()).GetValueOrDefault("im.cluster.rejoins");
        Cluster.MariaDb.Freeze();
        try
        {
            // Ending the dead node's connections is asked of the database, which does not answer.
            await Two.KillAsync();
            await Task.Delay(TestCluster.Lease * 2.5);
        }
        finally
        {
            Cluster.MariaDb.Thaw();
        }

        await Two.RestartAsync();
        await Cluster.WhenHealthyAsync();
        Assert.Equal(before, (await One.GetFiguresAsync()).GetValueOrDefault("im.cluster.rejoins"));
        await alice.SayAsync(bob, "nobody noticed");
        await bob.HearAsync("nobody noticed", 5);
    }

    [Fact(Timeout = 90_000)]
    public async Task ANodeFrozenInsideATransactionHoldsNobodyUpForLongAndJoinsAgainWhenItIsResumed()
    {
        await using var alice = await Person.ConnectAsync(shared.NewUser("alice"), "d", One);
        await using var bob = await Person.ConnectAsync(shared.NewUser("bob"), "d", Two, One);
        await alice.SayAsync(bob, "first");
        await bob.HearAsync("first", 5);
        var before = (await Two.GetFiguresAsync()).GetValueOrDefault("im.cluster.rejoins");
        var sending = Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            await Task.Delay(i * 20);
            await bob.SayAsync(alice, $"from the frozen {i}");
        }));
        try
        {
            // Between two polls there may be none: then once more, while bob goes on sending.
            var isOpen = await OpenTransactions.FreezeInOneAsync(Cluster, Two);
            for (var i = 0; i < 5 && !isOpen; i++)
            {
                Two.Thaw();
                isOpen = await OpenTransactions.FreezeInOneAsync(Cluster, Two);
            }

            Assert.True(isOpen, "No transaction was open: the test shows nothing.");

            // The same conversation, whose head row the frozen transaction has locked.
            var start = TimeProvider.System.GetTimestamp();
            await alice.SayAsync(bob, "through");
            output.WriteLine($"A send into the locked conversation took {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0.0} s.");
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(15));
            await bob.HearAsync("through", 15);
            await sending.WaitAsync(TimeSpan.FromSeconds(20));
            await Wait.UntilAsync(async () => (await One.GetHealthAsync()).Data["nodes"] is "node1" ? null : "node2 counts as living.", TimeSpan.FromSeconds(10));
        }
        finally
        {
            Two.Thaw();
        }

        await Cluster.WhenHealthyAsync();
        Assert.True((await Two.GetFiguresAsync()).GetValueOrDefault("im.cluster.rejoins") > before);
        await using var carol = await Person.ConnectAsync(shared.NewUser("carol"), "d", Two);
        await carol.SayAsync(bob, "from the resumed");
        await bob.HearAsync("from the resumed", 5);
        await alice.HearAsync("from the frozen 19", 5);
        alice.AssertHeardEachOnce();
        bob.AssertHeardEachOnce();
    }

    [Fact(Timeout = 60_000)]
    public async Task SendsWaitForADatabaseThatWasKilledAndAreStoredWhenItIsBack()
    {
        var (alice, bob) = await PairAsync();
        await using var a = alice;
        await using var b = bob;
        await Cluster.MariaDb.KillAsync();
        var sending = alice.SayAsync(bob, "while the database is away");
        await WhenStatusAsync(One, "Unhealthy");
        Assert.False(sending.IsCompleted);
        await Cluster.MariaDb.RestartAsync();
        await sending.WaitAsync(TimeSpan.FromSeconds(20));
        await bob.HearAsync("while the database is away", 5);
        bob.AssertHeardEachOnce();
        await Cluster.WhenHealthyAsync();
    }

    private static Task WhenStatusAsync(NodeProcess node, string status) => Wait.UntilAsync(
        async () => await node.GetHealthAsync() is var health && health.Status == status ? null : $"{node.Name} is {health.Status}, not {status}.",
        TimeSpan.FromSeconds(10));

    private async Task<(Person Alice, Person Bob)> PairAsync() => (
        await Person.ConnectAsync(shared.NewUser("alice"), "d", One), await Person.ConnectAsync(shared.NewUser("bob"), "d", Two));

    private async Task<long> RejoinsAsync()
    {
        var sum = 0L;
        foreach (var node in Cluster.Nodes)
        {
            sum += (await node.GetFiguresAsync()).GetValueOrDefault("im.cluster.rejoins");
        }

        return sum;
    }
}
