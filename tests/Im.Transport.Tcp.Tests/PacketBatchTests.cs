using System.Net;
using System.Net.Sockets;
using Im.Transport.Tcp.Internal;
using Im.Transport.Tcp.Tests.Support;
using Xunit.Abstractions;

namespace Im.Transport.Tcp.Tests;

public sealed class PacketBatchTests(ITestOutputHelper output)
{
    [Fact]
    public async Task OwnAndSharedPartsOfAnySizesAreSentInOrder()
    {
        var random = Seed.Create(output.WriteLine);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var client = await TestClient.ConnectAsync(listener.LocalEndPoint!);
        using var server = await listener.AcceptAsync().WaitAsync(Wait.Limit);
        var pool = new CountedBufferPool();
        using var batch = new PacketBatch(pool, 64 * 1024);
        for (var round = 0; round < 200; round++)
        {
            var packets = Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Bytes(random.Next(60_000))).ToArray();
            foreach (var packet in packets)
            {
                Write(random, batch, packet);
            }

            var sending = batch.SendAsync(new SocketChannel(server, null)).AsTask();
            foreach (var packet in packets)
            {
                Assert.Equal(packet, await client.ReceiveAsync());
            }

            await sending.WaitAsync(Wait.Limit);
            Assert.True(batch.IsEmpty);
            Assert.Equal(0, pool.Rented);
        }
    }

    [Fact]
    public void APacketOfAnotherLengthThanAnnouncedIsRefused()
    {
        using var batch = new PacketBatch(new CountedBufferPool(), 64 * 1024);
        batch.BeginPacket(2);
        Assert.Throws<InvalidOperationException>(() => batch.Write([1, 2, 3]));
        batch.Write([1]);
        Assert.Throws<InvalidOperationException>(batch.EndPacket);
        Assert.Throws<InvalidOperationException>(() => batch.BeginPacket(1));
        batch.Clear();
    }

    private static void Write(Random random, PacketBatch batch, byte[] packet)
    {
        batch.BeginPacket(packet.Length);
        for (var done = 0; done < packet.Length;)
        {
            var part = packet.AsMemory(done, Math.Min(packet.Length - done, random.Next(1, random.Next(2) == 0 ? 100 : 5000)));
            if (random.Next(2) == 0)
            {
                batch.Write(part.Span);
            }
            else
            {
                batch.WriteShared(part);
            }

            done += part.Length;
        }

        batch.EndPacket();
    }
}
