using Im.Fanout;
using Im.Storage.InMemory;
using Im.Testing.Specification;
using Xunit.Abstractions;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage;

public sealed class InMemoryCostTests(ITestOutputHelper output)
{
    // Trap 16: a batch costs messages + members, not messages × members; bytes are counted because they do not depend on the machine.
    [Fact]
    public async Task ABatchAllocatesForMessagesAndMembersAndNotForEachDelivery()
    {
        var messages = new InMemoryMessageStore(new InMemoryState());
        var members = To([.. Enumerable.Range(0, 500).Select(i => $"user{i:000}")]);
        await messages.AppendAsync(Batch(Create("g:1", FanoutNames.Write, [.. members.UserIds])), CancellationToken.None).Soon();
        var best = long.MaxValue;
        var bestTime = TimeSpan.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var batch = Batch([.. Enumerable.Range(0, 500).Select(_ => Message("g:1", "user000", members, version: 1))]);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var started = TimeProvider.System.GetTimestamp();
            var append = messages.AppendAsync(batch, CancellationToken.None);
            var elapsed = TimeProvider.System.GetElapsedTime(started);
            best = Math.Min(best, GC.GetAllocatedBytesForCurrentThread() - before);
            bestTime = elapsed < bestTime ? elapsed : bestTime;
            Assert.Single(Assert.Single((await append.Soon()).Classes).Runs);
        }

        output.WriteLine($"{best:N0} bytes, {bestTime.TotalMilliseconds:0.000} ms");

        // 250,000 deliveries: one byte each would be more than this allows.
        Assert.InRange(best, 1, 200_000);
    }
}
