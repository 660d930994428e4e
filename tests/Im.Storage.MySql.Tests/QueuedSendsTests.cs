using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Im.Model;
using Im.Protocol;
using Im.Storage.MySql.Tests.Support;
using Im.Testing;
using Im.Testing.Specification;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Abstractions;

namespace Im.Storage.MySql.Tests;

/// <summary>A queue that is drained while people talk. <c>IM_QUEUED_SENDS=100000</c> measures it: see docs/operations.md.</summary>
[Collection(MySqlCollection.Name)]
public sealed class QueuedSendsTests(MySqlServer server, ITestOutputHelper output)
{
    private const int Users = 1000;
    private static readonly int Queued = int.TryParse(
        Environment.GetEnvironmentVariable("IM_QUEUED_SENDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 2000;

    [Fact]
    public async Task AQueueIsDrainedOnceAndInOrderWhilePeopleTalk()
    {
        await using var database = new TestDatabase(server.Server);
        await using var host = await ImTestHost.StartAsync(im =>
        {
            // The host's clock stands still, and a rate would be a total.
            im.Services.Configure<ImServerOptions>(options => options.MaxSendsPerSecond = 1_000_000);
            im.UseMySql(MySqlStores.DataSource(database.ConnectionString));
        });
        var devices = new List<ImTestDevice>();
        for (var i = 0; i < 8; i++)
        {
            devices.Add(await host.ConnectAsync($"person{i}"));
        }

        var isMeasured = Queued > 2000;
        await TalkAsync(devices, () => false, TimeSpan.FromSeconds(isMeasured ? 5 : 0.2));
        var alone = await TalkAsync(devices, () => false, TimeSpan.FromSeconds(isMeasured ? 20 : 0.5));

        var queue = host.Services.GetRequiredService<ISendQueue>();
        await FillAsync(queue, isMeasured ? "another node" : "node-1");
        var started = Stopwatch.GetTimestamp();
        var limit = TimeSpan.FromSeconds(isMeasured ? 300 : 15);
        var beside = await TalkAsync(devices, () => database.Count("SELECT COUNT(*) FROM (SELECT 1 FROM im_queued_sends LIMIT 1) AS q") == 0, limit);
        var took = Stopwatch.GetElapsedTime(started);

        Assert.Equal(default, await queue.GetStateAsync("node-1", CancellationToken.None).Soon());
        Assert.Equal(Queued, database.Count("SELECT COUNT(*) FROM im_entries WHERE sender_id = '$bulk'"));

        // Each user's messages stand in the order in which they were queued: the ids are numbers.
        Assert.Equal(0, database.Count(
            "SELECT COUNT(*) FROM im_entries a JOIN im_entries b ON b.conversation_id = a.conversation_id AND b.seq = a.seq + 1 "
            + "WHERE a.sender_id = '$bulk' AND a.client_message_id >= b.client_message_id"));
        output.WriteLine($"alone: {Describe(alone)}");
        output.WriteLine($"while {Queued} queued sends were drained in {took.TotalSeconds:F1} s ({Queued / took.TotalSeconds:F0}/s): {Describe(beside)}");
    }

    private static async Task FillAsync(ISendQueue queue, string node)
    {
        for (var i = 0; i < Queued; i += 500)
        {
            var sends = Enumerable.Range(i, Math.Min(500, Queued - i)).Select(number => new QueuedSend
            {
                NodeName = node,
                TimeMs = 1,
                SenderId = "$bulk",
                ClientMessageId = $"{number:0000000}",
                ConversationId = ConversationId.Direct("$bulk", $"user{number % Users}"),
                Content = new Content { ContentType = "text", Text = $"Your order {number} was sent." }.ToByteArray(),
            });
            Assert.True(await queue.AddAsync([.. sends], int.MaxValue, CancellationToken.None).Soon());
        }
    }

    // Everyone sends about 20 messages a second, each after the ack of the one before.
    private static async Task<List<double>> TalkAsync(List<ImTestDevice> devices, Func<bool> isOver, TimeSpan limit)
    {
        using var over = new CancellationTokenSource(limit);
        var times = new List<double>();
        var talking = devices.Select((device, i) => Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                var started = Stopwatch.GetTimestamp();
                await device.SendTextAsync($"person{(i + 1) % devices.Count}", "hello").WaitAsync(TimeSpan.FromSeconds(20));
                lock (times)
                {
                    times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                }

                await Task.Delay(50, CancellationToken.None);
            }
        })).ToList();
        while (!over.IsCancellationRequested)
        {
            if (isOver())
            {
                await over.CancelAsync();
            }

            await Task.Delay(100, CancellationToken.None);
        }

        await Task.WhenAll(talking);
        return times;
    }

    private static string Describe(List<double> times)
    {
        times.Sort();
        return $"{times.Count} sends, p50 {times[times.Count / 2]:F1} ms, p99 {times[times.Count * 99 / 100]:F1} ms, max {times[^1]:F1} ms";
    }
}
