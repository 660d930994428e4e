using System.Diagnostics;
using Im.Client;
using Im.ClusterTests.Cluster;
using Im.ClusterTests.Load;
using Xunit.Abstractions;

namespace Im.ClusterTests;

/// <summary>
/// A group with very many members, some of them online on two nodes. IM_CLUSTER_GROUP_MEMBERS and IM_CLUSTER_GROUP_ONLINE set the size: 100000 and 2000
/// for the full one.
/// </summary>
public sealed class LargeGroupTests(ITestOutputHelper output)
{
    private const int Missed = 5;

    [Fact(Timeout = 1_800_000)]
    public async Task AMessageToAVeryLargeGroupIsStoredOnceToldToEachNodeOnceAndLiveToAllWhoAreOnline()
    {
        var members = Setting("IM_CLUSTER_GROUP_MEMBERS", 2000);
        var online = Setting("IM_CLUSTER_GROUP_ONLINE", 60);

        // Probes are publishes too: none of them while it counts.
        await using var cluster = await TestCluster.StartAsync(2, _ => ["--Cluster:ProbeInterval", "00:01:00"]);
        await cluster.WhenHealthyAsync();
        var start = Stopwatch.GetTimestamp();
        await cluster.Nodes[0].CreateGroupAsync("large", null, Enumerable.Range(0, members).Select(i => $"u{i}"));
        output.WriteLine($"A group of {members} members was made in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s.");

        // Somebody who will be away.
        var cursors = new MemoryCursorStore();
        await using (await Person.ConnectAsync($"u{members - 1}", "d", cursors, cluster.Nodes[0]))
        {
            // One that leaves before its cursors are saved is a new device the next time.
            await Wait.UntilAsync(async () => (await cursors.LoadAsync(CancellationToken.None)).Generation.Length > 0 ? null : "No cursors are saved.");
        }

        var people = new List<Person>();
        try
        {
            foreach (var some in Enumerable.Range(0, online).Chunk(100))
            {
                people.AddRange(await Task.WhenAll(some.Select(i => Person.ConnectAsync($"u{i}", "d", cluster.Nodes[i % 2]))));
            }

            // The caches are warm from the second message on.
            await SendAsync(cluster, people, "first");
            await SendAsync(cluster, people, "measured");
            for (var i = 2; i < Missed; i++)
            {
                await SendAsync(cluster, people, $"{i}");
            }

            await using var back = await Person.ConnectAsync($"u{members - 1}", "d", cursors, cluster.Nodes[1]);
            var returned = Stopwatch.GetTimestamp();
            await Wait.UntilAsync(() => Task.FromResult(back.Heard.Count == Missed ? null : $"It has {string.Join(", ", back.Heard)}; {back.Client.State}."));
            output.WriteLine($"Who was away had all {Missed} {Stopwatch.GetElapsedTime(returned).TotalMilliseconds:0} ms after signing in.");
            Assert.Equal(["first", "measured", .. Enumerable.Range(2, Missed - 2).Select(i => $"{i}")], back.Heard);
            await ReportAsync(cluster);
        }
        finally
        {
            foreach (var some in people.Chunk(100))
            {
                await Task.WhenAll(some.Select(person => person.DisposeAsync().AsTask()));
            }
        }
    }

    private async Task SendAsync(TestCluster cluster, List<Person> people, string text)
    {
        var rows = await RowsAsync(cluster);
        var publishes = await RedisCli.CountAsync(cluster.Redis, "publish");
        var start = Stopwatch.GetTimestamp();
        var ack = await people[0].Client.SendTextAsync(ImTarget.Conversation("g:large"), text).WaitAsync(TimeSpan.FromSeconds(30));
        var acked = Stopwatch.GetElapsedTime(start);
        foreach (var person in people)
        {
            await person.HearAsync(text, 30);
        }

        var last = Stopwatch.GetElapsedTime(start);
        publishes = await RedisCli.CountAsync(cluster.Redis, "publish") - publishes;
        var after = await RowsAsync(cluster);
        output.WriteLine(
            $"\"{text}\" (seq {ack.ConversationSeq}): ack after {acked.TotalMilliseconds:0} ms, the last of {people.Count} had it after {last.TotalMilliseconds:0} ms; "
            + $"rows: {after.Entries - rows.Entries} message, {after.Chunks - rows.Chunks} inbox chunks, {after.Commits - rows.Commits} commit; {publishes} publishes.");
        Assert.Equal((rows.Entries + 1, rows.Chunks, rows.Commits + 1), after);
        Assert.InRange(publishes, 0, cluster.Nodes.Count);
    }

    private async Task ReportAsync(TestCluster cluster)
    {
        var memory = await RedisCli.AskAsync(cluster.Redis, "INFO", "memory");
        output.WriteLine($"Redis: {memory.Split("\r\n").First(line => line.StartsWith("used_memory:", StringComparison.Ordinal))} bytes.");
        foreach (var node in cluster.Nodes)
        {
            var figures = await node.GetFiguresAsync();
            output.WriteLine($"{node.Name}: {figures["process.memory"] / 1_000_000} MB resident, {figures["gc.heap"] / 1_000_000} MB of it managed objects.");
        }
    }

    private static async Task<(long Entries, long Chunks, long Commits)> RowsAsync(TestCluster cluster) => (
        await cluster.QueryAsync("SELECT COUNT(*) FROM im_entries"),
        await cluster.QueryAsync("SELECT COUNT(*) FROM im_inbox_chunks"),
        await cluster.QueryAsync("SELECT COUNT(*) FROM im_commits"));

    private static int Setting(string name, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value : standard;
}
