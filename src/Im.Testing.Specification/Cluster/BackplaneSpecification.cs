using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Im.Cluster;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="IBackplane"/>.</summary>
public abstract class BackplaneSpecification(IClusterFixture fixture) : ClusterSpecification(fixture)
{
    /// <summary>A message costs only those nodes something that it is for.</summary>
    [Fact]
    public virtual async Task AMessageReachesTheNodeThatItIsAddressedToAndNoOther()
    {
        var (a, fromA) = await StartAsync("a");
        var (_, fromB) = await StartAsync("b");
        await SendAsync(a, "b", "1");
        await SendAsync(a, "a", "2");
        await a.PublishToAllAsync(Bytes("end"), default).Soon();

        await UntilAsync(() => fromA.Contains("end") && fromB.Contains("end"), "both have the last message");
        Assert.Equal(["2", "end"], fromA);
        Assert.Equal(["1", "end"], fromB);
    }

    /// <summary>A node's name may begin like another's, and contain what would be a pattern.</summary>
    [Theory]
    [InlineData("node", "node1")]
    [InlineData("n*", "nn")]
    [InlineData("a[b]", "ab")]
    [InlineData("ä:{x} y", "ä:{x}")]
    public virtual async Task NamesAreComparedWhole(string one, string other)
    {
        var (backplane, fromOne) = await StartAsync(one);
        var (_, fromOther) = await StartAsync(other);
        await SendAsync(backplane, one, "one");
        await SendAsync(backplane, other, "other");

        await UntilAsync(() => !fromOne.IsEmpty && !fromOther.IsEmpty, "both have theirs");
        Assert.Equal(["one"], fromOne);
        Assert.Equal(["other"], fromOther);
    }

    /// <summary>The probe: a node that does not hear itself knows that others do not hear it either.</summary>
    [Fact]
    public virtual async Task WhatGoesToAllReachesTheSenderToo()
    {
        var (a, fromA) = await StartAsync("a");
        await a.PublishToAllAsync(Bytes("probe"), default).Soon();
        await UntilAsync(() => fromA.Contains("probe"), "a hears itself");
    }

    /// <summary>Live delivery is in order without a look into the store.</summary>
    [Fact]
    public virtual async Task MessagesOfOneNodeArriveInOrderAndOneAtATime()
    {
        const int count = 3_000;
        var received = new List<int>();
        var inside = 0;
        var overlapped = false;
        var b = (await CreateNodeAsync()).Backplane!;
        await b.StartAsync(
            "b",
            message =>
            {
                overlapped |= Interlocked.Increment(ref inside) != 1;
                lock (received)
                {
                    received.Add(int.Parse(Encoding.UTF8.GetString(message.Span), CultureInfo.InvariantCulture));
                }

                Interlocked.Decrement(ref inside);
            },
            default).Soon();
        var a = (await CreateNodeAsync()).Backplane!;

        for (var i = 0; i < count; i++)
        {
            var bytes = Bytes(i.ToString(CultureInfo.InvariantCulture));
            await (i % 10 == 0 ? a.PublishToAllAsync(bytes, default) : a.PublishAsync("b", bytes, default)).Soon();
        }

        await UntilAsync(
            () =>
            {
                lock (received)
                {
                    return received.Count == count;
                }
            },
            $"{count} messages have arrived");
        Assert.False(overlapped);
        // Between the two addresses nothing is promised.
        Assert.Equal(Enumerable.Range(0, count).Where(i => i % 10 == 0), received.Where(i => i % 10 == 0));
        Assert.Equal(Enumerable.Range(0, count).Where(i => i % 10 != 0), received.Where(i => i % 10 != 0));
    }

    /// <summary>What is carried is protobuf: any bytes, from none to a full batch. The receiver may keep them.</summary>
    [Fact]
    public virtual async Task BytesArriveAsTheyWereAndAreTheReceivers()
    {
        var received = new ConcurrentQueue<ReadOnlyMemory<byte>>();
        var a = (await CreateNodeAsync()).Backplane!;
        await a.StartAsync("a", received.Enqueue, default).Soon();
        var sent = new[] { 0, 1, 256, 700_000 }.Select(size => Enumerable.Range(0, size).Select(i => (byte)i).ToArray()).ToArray();
        var buffer = new byte[700_000];
        foreach (var bytes in sent)
        {
            bytes.CopyTo(buffer, 0);
            await a.PublishAsync("a", buffer.AsMemory(0, bytes.Length), default).Soon();
            buffer.AsSpan().Clear();
        }

        await UntilAsync(() => received.Count == sent.Length, "all have arrived");
        Assert.Equal(sent, received.Select(message => message.ToArray()));
    }

    /// <summary>A node may be gone before others know: sending to it is no failure.</summary>
    [Fact]
    public virtual async Task SendingToNobodyIsNoFailure()
    {
        var (a, fromA) = await StartAsync("a");
        await SendAsync(a, "nobody", "1");
        await SendAsync(a, "a", "2");
        await UntilAsync(() => fromA.Contains("2"), "the next one arrives");
    }

    /// <summary>A node that stops is not called any more, and the others go on.</summary>
    [Fact]
    public virtual async Task AfterItsEndNothingIsReceived()
    {
        var (a, fromA) = await StartAsync("a");
        var (b, fromB) = await StartAsync("b");
        await b.StopAsync(default).Soon();
        await a.PublishToAllAsync(Bytes("1"), default).Soon();
        await UntilAsync(() => fromA.Contains("1"), "the others receive");
        Assert.Empty(fromB);
        await b.StopAsync(default).Soon();
    }

    /// <summary>Trap 27: a subscription that died comes back, without anybody starting it again.</summary>
    [AbilityFact]
    public virtual async Task AfterAnOutageMessagesArriveAgain()
    {
        var (a, fromA) = await StartAsync("a");
        await RestartEmptyAsync();
        var sent = 0;
        await UntilAsync(
            async () =>
            {
                try
                {
                    await SendAsync(a, "a", $"{sent++}");
                }
                catch (ImClusterException)
                {
                    // Not back yet.
                }

                return !fromA.IsEmpty;
            },
            "messages arrive again");
    }

    private async Task<(IBackplane Backplane, ConcurrentQueue<string> Received)> StartAsync(string name)
    {
        var received = new ConcurrentQueue<string>();
        var backplane = (await CreateNodeAsync()).Backplane!;
        await backplane.StartAsync(name, message => received.Enqueue(Encoding.UTF8.GetString(message.Span)), default).Soon();
        return (backplane, received);
    }

    private static Task SendAsync(IBackplane backplane, string node, string text) => backplane.PublishAsync(node, Bytes(text), default).Soon();

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
