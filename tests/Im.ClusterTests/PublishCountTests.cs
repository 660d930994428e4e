using Im.ClusterTests.Cluster;
using Im.ClusterTests.Load;
using Im.Client;
using Xunit.Abstractions;

namespace Im.ClusterTests;

/// <summary>What a message costs between nodes.</summary>
public sealed class PublishCountTests(ITestOutputHelper output)
{
    private const int Messages = 40;
    private const int Others = 5;

    [Fact(Timeout = 90_000)]
    public async Task PublishesOfAGroupMessageDoNotDependOnTheNumberOfMembers()
    {
        // Probes are publishes too: none of them while it counts.
        await using var cluster = await TestCluster.StartAsync(2, _ => ["--Cluster:ProbeInterval", "00:01:00"]);
        await cluster.WhenHealthyAsync();
        foreach (var fanout in new[] { "write", "read" })
        {
            var few = await CountAsync(cluster, fanout, 10);
            var many = await CountAsync(cluster, fanout, 1000);
            output.WriteLine($"Publishes for {Messages} messages with fan-out on {fanout}: {few} for 10 members, {many} for 1,000.");

            // One other node: one publish for each message that is committed by itself, and a few of other kinds: somebody's presence, a mark.
            Assert.InRange(few, 1, Messages + Others);
            Assert.InRange(many, 1, Messages + Others);
        }
    }

    // The sender is on node one, nine members are online on node two, the others away.
    private static async Task<long> CountAsync(TestCluster cluster, string fanout, int members)
    {
        var (one, two) = (cluster.Nodes[0], cluster.Nodes[1]);
        var users = Enumerable.Range(0, members).Select(i => $"{fanout}{members}-{i}").ToArray();
        var id = $"{fanout}{members}";
        await one.CreateGroupAsync(id, fanout, users);
        await using var sender = await Person.ConnectAsync(users[0], "d", one);
        var online = await Task.WhenAll(users.Skip(1).Take(9).Select(user => Person.ConnectAsync(user, "d", two)));
        try
        {
            var before = await RedisCli.CountAsync(cluster.Redis, "publish");
            for (var i = 0; i < Messages; i++)
            {
                await sender.Client.SendTextAsync(ImTarget.Conversation($"g:{id}"), $"{i}").WaitAsync(TimeSpan.FromSeconds(10));
            }

            foreach (var person in online)
            {
                await person.HearAsync($"{Messages - 1}", 10);
            }

            return await RedisCli.CountAsync(cluster.Redis, "publish") - before;
        }
        finally
        {
            foreach (var person in online)
            {
                await person.DisposeAsync();
            }
        }
    }
}
