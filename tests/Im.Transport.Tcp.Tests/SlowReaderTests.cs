using System.Diagnostics;
using Im.Protocol;
using Im.Transport.Tcp.Tests.Support;

namespace Im.Transport.Tcp.Tests;

public sealed class SlowReaderTests
{
    private static readonly byte[] Shared = new byte[8 * 1024];

    [Fact]
    public async Task AReaderThatNeverReadsCostsBoundedMemoryAndDisturbsNobody()
    {
        long written = 0;
        await using var server = await TestServer.StartAsync(
            handler => handler.OnReceive = TestServer.Echo,
            options => options.CloseTimeout = TimeSpan.FromMilliseconds(300));
        using var slow = await server.ConnectAsync(receiveBufferBytes: 16 * 1024);
        var flooded = await server.AcceptedAsync();
        flooded.OnWriteTo = writer =>
        {
            while (!writer.IsFull)
            {
                writer.BeginPacket(Shared.Length + 1);
                writer.Write([1]);
                writer.WriteShared(Shared);
                writer.EndPacket();
                Interlocked.Add(ref written, Shared.Length);
            }

            return true; // for ever
        };
        flooded.Connection.RequestWrite();
        await Wait.UntilAsync(() => Interlocked.Read(ref written) > 0);
        await Wait.UntilStillAsync(() => Interlocked.Read(ref written));
        Assert.InRange(Interlocked.Read(ref written), 1, 2 * 1024 * 1024); // two kernels' buffers and one write
        Assert.InRange(server.Transport.Buffers.Rented, 1, 2);

        using var other = await server.ConnectAsync();
        for (var i = 0; i < 100; i++)
        {
            await other.SendPacketAsync([1, 2, 3]);
            Assert.Equal([1, 2, 3], await other.ReceiveAsync());
        }

        var watch = Stopwatch.StartNew();
        flooded.Connection.Close(ImCloseCode.Slow, "test");
        Assert.Null(await flooded.Disconnection.WaitAsync(Wait.Limit));
        Assert.InRange(watch.Elapsed, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));
        Assert.Contains(server.Logs.Entries, entry => entry.Id.Id == Internal.EventIds.CloseTimedOut);
    }

    [Fact]
    public async Task AStoppedReaderThatReadsAgainGetsEverythingInOrder()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await server.ConnectAsync(receiveBufferBytes: 8 * 1024);
        var handler = await server.AcceptedAsync();
        var random = new Random(1);
        var packets = Enumerable.Range(0, 1500).Select(_ => random.Bytes(random.Next(4000))).ToArray();
        foreach (var packet in packets)
        {
            handler.Send(packet);
        }

        await Wait.UntilStillAsync(() => handler.Queued);
        Assert.True(handler.Queued > 0, "the kernel's buffers must be bounded");
        foreach (var packet in packets)
        {
            Assert.Equal(packet, await client.ReceiveAsync());
        }

        await Wait.UntilAsync(() => server.Transport.Buffers.Rented == 0);
    }
}
