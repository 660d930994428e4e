using System.Collections.Concurrent;
using System.Globalization;
using Im.Storage.Redis.Internal;
using Im.Storage.Redis.Tests.Support;
using Xunit.Abstractions;

namespace Im.Storage.Redis.Tests;

/// <summary>Order over a client library that keeps none.</summary>
public sealed class OrderRestorerTests(ITestOutputHelper log)
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task WhatIsHandedOverSideBySideComesOutInOrder()
    {
        const int count = 20_000;
        var seed = int.TryParse(Environment.GetEnvironmentVariable("IM_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Random.Shared.Next();
        log.WriteLine($"IM_SEED={seed}");
        var random = new Random(seed);
        var received = new List<int>();
        // On a busy machine a thread may stand still with its item for long.
        using var order = new OrderRestorer<int>(received.Add, Long, TimeProvider.System, maxHeld: count);

        // A pool of threads takes them in order, and each a moment later does its part: neighbours change places.
        order.Add("a", "", 0, 1, 0);
        int[] shuffled = [.. Enumerable.Range(1, count).OrderBy(i => i + random.Next(100))];
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            await Task.Yield();
            for (int i; (i = Interlocked.Increment(ref next)) < count;)
            {
                order.Add("a", "", shuffled[i], 1, shuffled[i]);
            }
        })).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(Enumerable.Range(0, count + 1), received);
    }

    [Fact]
    public async Task AHoleHoldsTheOthersUpForAMomentOnly()
    {
        var received = new ConcurrentQueue<int>();
        using var order = new OrderRestorer<int>(received.Enqueue, TimeSpan.FromMilliseconds(500), TimeProvider.System);
        order.Add("a", "", 1, 1, 1);
        order.Add("a", "", 4, 1, 4);
        order.Add("a", "", 3, 1, 3);
        order.Add("b", "", 9, 1, 9);
        Assert.Equal([1, 9], received);
        await Poll.UntilAsync(() => received.Count == 4, "the hole was given up");
        order.Add("a", "", 2, 1, 2);
        order.Add("a", "", 5, 1, 5);
        Assert.Equal([1, 9, 3, 4, 5], received);
    }

    [Fact]
    public void BatchesCountAsManyAsTheyHave()
    {
        var received = new List<string>();
        using var order = new OrderRestorer<string>(received.Add, Long, TimeProvider.System);
        order.Add("room", "epoch 1", 1, 3, "1–3");
        order.Add("room", "epoch 1", 6, 2, "6–7");
        order.Add("room", "epoch 1", 4, 2, "4–5");
        Assert.Equal(["1–3", "4–5", "6–7"], received);
    }

    [Fact]
    public void AnotherRunBeginsAnewAndLosesNothingThatWasHeld()
    {
        var received = new List<string>();
        using var order = new OrderRestorer<string>(received.Add, Long, TimeProvider.System);
        order.Add("room", "epoch 1", 7, 1, "1:7");
        order.Add("room", "epoch 1", 9, 1, "1:9");
        order.Add("room", "epoch 2", 1, 1, "2:1");
        order.Add("room", "epoch 2", 3, 1, "2:3");
        order.Forget("room");
        order.Add("room", "epoch 2", 8, 1, "2:8");
        Assert.Equal(["1:7", "1:9", "2:1", "2:3", "2:8"], received);
    }

    [Fact]
    public void NotMoreThanALittleIsHeld()
    {
        var received = new List<int>();
        using var order = new OrderRestorer<int>(received.Add, Long, TimeProvider.System);
        order.Add("a", "", 0, 1, 0);
        for (var i = 2; i < 5_000; i++)
        {
            order.Add("a", "", i, 1, i);
        }

        Assert.Equal(Enumerable.Range(2, 4_998), received.Skip(1));
    }
}
