using System.Diagnostics;
using Im.Client;
using Im.ClusterTests.Cluster;
using Im.ClusterTests.Load;
using Im.Protocol;
using Xunit.Abstractions;

namespace Im.ClusterTests;

/// <summary>
/// A room with subscribers on two nodes. IM_CLUSTER_ROOM_SUBSCRIBERS and IM_CLUSTER_ROOM_MESSAGES set the size: 2000 and 1000 for the full one.
/// </summary>
public sealed class RoomTests(ITestOutputHelper output)
{
    private const int HighEvery = 10;
    private const int Replay = 50;

    private static readonly Content Text = new() { ContentType = "text", Text = new string('x', 100) };

    [Fact(Timeout = 900_000)]
    public async Task EverySubscriberOnBothNodesHasEachPriorityInOrderWhileOneHasStopped()
    {
        var subscribers = Setting("IM_CLUSTER_ROOM_SUBSCRIBERS", 60);
        var messages = Setting("IM_CLUSTER_ROOM_MESSAGES", 300);
        await using var cluster = await TestCluster.StartAsync(2, _ => ["--Rooms:MaxQueueMessages", "100000", "--Rooms:MaxQueueBytes", "16777216"]);
        await cluster.WhenHealthyAsync();
        var guests = new List<RoomGuest>();
        try
        {
            // One who never reads, before all others.
            guests.Add(await RoomGuest.EnterAsync("stopped", cluster.Nodes[0], "hall", reads: false));
            foreach (var some in Enumerable.Range(0, subscribers).Chunk(50))
            {
                guests.AddRange(await Task.WhenAll(some.Select(i => RoomGuest.EnterAsync($"u{i}", cluster.Nodes[i % 2], "hall"))));
            }

            var readers = guests[1..];
            var start = Stopwatch.GetTimestamp();
            await Task.WhenAll(SendAsync(readers[0], messages, start: 0), SendAsync(readers[1], messages, start: 1));
            var sent = Stopwatch.GetElapsedTime(start);
            await Wait.UntilAsync(() => readers.All(guest => guest.Count == messages), "Somebody has not everything.", TimeSpan.FromSeconds(120));
            var last = Stopwatch.GetElapsedTime(start);
            output.WriteLine(
                $"{messages} messages to {subscribers} subscribers: sent in {sent.TotalSeconds:0.00} s, the last one had them after {last.TotalSeconds:0.00} s: "
                + $"{messages * (long)subscribers / last.TotalSeconds:n0} deliveries/s.");

            var high = (messages + HighEvery - 1) / HighEvery;
            foreach (var guest in readers)
            {
                Assert.Equal(Enumerable.Range(1, high).Select(seq => (long)seq), Seqs(guest, RoomPriority.High));
                Assert.Equal(Enumerable.Range(1, messages - high).Select(seq => (long)seq), Seqs(guest, RoomPriority.Normal));
                Assert.Empty(guest.Gaps);
            }

            await CheckReplayAsync(cluster, guests, messages - high, high);
        }
        finally
        {
            foreach (var some in guests.Chunk(100))
            {
                await Task.WhenAll(some.Select(guest => guest.DisposeAsync().AsTask()));
            }
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task AHighMessageOvertakesNormalOnesOnTheOtherNodeAndTheOldestOfThemAreDropped()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        await cluster.WhenHealthyAsync();
        await using var slow = await RoomGuest.EnterAsync("slow", cluster.Nodes[1], "hall", reads: false);
        await using var sender = await RoomGuest.EnterAsync("sender", cluster.Nodes[0], "hall");
        var large = new Content { ContentType = "text", Text = new string('x', 32 * 1024) };
        const int Messages = 600;
        foreach (var some in Enumerable.Range(0, Messages).Chunk(50))
        {
            await Task.WhenAll(some.Select(_ => sender.Client.SendToRoomAsync("hall", large)));
        }

        await sender.Client.SendToRoomAsync("hall", Text, RoomPriority.High);
        await Wait.UntilAsync(() => sender.Got.Contains((RoomPriority.High, 1)) && sender.Got.Contains((RoomPriority.Normal, Messages)), "Whoever reads has the newest.");

        slow.Read();
        await Wait.UntilAsync(() => slow.Got.Any(got => got == (RoomPriority.Normal, Messages)), "The newest has not come.");
        var order = slow.Got;
        var high = order.ToList().FindIndex(got => got.Priority == RoomPriority.High);
        Assert.InRange(high, 0, order.Count - 2);
        var normal = Seqs(slow, RoomPriority.Normal).ToArray();
        Assert.Equal(normal.Order(), normal);
        var dropped = slow.Gaps.Sum(gap => gap.ToSeq - gap.FromSeq + 1);
        Assert.Equal(Messages, normal.Length + dropped);
        Assert.True(dropped > 0, "Nothing was dropped: the test was too small.");
    }

    private static async Task CheckReplayAsync(TestCluster cluster, List<RoomGuest> guests, int normal, int high)
    {
        var late = await RoomGuest.EnterAsync("late", cluster.Nodes[1], "hall", Replay);
        guests.Add(late);
        await guests[1].Client.SendToRoomAsync("hall", Text);
        var kept = Math.Min(Replay, high);
        await Wait.UntilAsync(() => late.Count == Replay + kept + 1, "The replay is not what is kept.");
        Assert.Equal(Enumerable.Range(normal - Replay + 1, Replay + 1).Select(seq => (long)seq), Seqs(late, RoomPriority.Normal));
        Assert.Equal(Enumerable.Range(high - kept + 1, kept).Select(seq => (long)seq), Seqs(late, RoomPriority.High));
    }

    // Every second message of all, from two senders on two nodes.
    private static async Task SendAsync(RoomGuest sender, int messages, int start)
    {
        foreach (var some in Enumerable.Range(0, messages).Where(i => i % 2 == start).Chunk(20))
        {
            await Task.WhenAll(some.Select(i => sender.Client.SendToRoomAsync("hall", Text, i % HighEvery == 0 ? RoomPriority.High : RoomPriority.Normal)));
        }
    }

    private static IEnumerable<long> Seqs(RoomGuest guest, RoomPriority priority) =>
        guest.Got.Where(got => got.Priority == priority).Select(got => got.Seq);

    private static int Setting(string name, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value : standard;
}
