using Im.Transport.Tcp.Tests.Support;
using Xunit.Abstractions;

namespace Im.Transport.Tcp.Tests;

public sealed class EchoTests(ITestOutputHelper output)
{
    // Sizes around one and two bytes of prefix, around what is copied, and around the first buffer.
    private static readonly int[] Sizes = [0, 1, 127, 128, 1023, 1024, 1027, 1028, 4093, 4096, 16384];

    [Fact]
    public async Task EverySplitOfAStreamOfPacketsGivesTheSamePackets()
    {
        await using var server = await TestServer.StartEchoAsync();
        byte[][] packets = [[1, 2, 3], [], [.. Enumerable.Repeat((byte)7, 130)], [9]];
        var stream = Frames.Of(packets);
        using var client = await server.ConnectAsync();
        for (var cut = 0; cut <= stream.Length; cut++)
        {
            await client.SendAsync(stream.AsMemory(0, cut));
            await client.SendAsync(stream.AsMemory(cut));
            foreach (var packet in packets)
            {
                Assert.Equal(packet, await client.ReceiveAsync());
            }
        }
    }

    [Fact]
    public async Task PacketsThatComeByteByByteAreReadLikeAnyOther()
    {
        await using var server = await TestServer.StartEchoAsync();
        using var client = await server.ConnectAsync();
        byte[][] packets = [[1, 2, 3], [.. Enumerable.Repeat((byte)7, 300)], []];
        foreach (var next in Frames.Of(packets))
        {
            await client.SendAsync(new[] { next });
        }

        foreach (var packet in packets)
        {
            Assert.Equal(packet, await client.ReceiveAsync());
        }
    }

    [Fact]
    public async Task PacketsOfManySizesInRandomPiecesComeBackInOrder()
    {
        var random = Seed.Create(output.WriteLine);
        await using var server = await TestServer.StartEchoAsync();
        using var client = await server.ConnectAsync();
        var packets = Enumerable.Range(0, 400).Select(_ => random.Bytes(Sizes[random.Next(Sizes.Length)])).ToArray();
        var stream = Frames.Of(packets);
        var sending = Task.Run(async () =>
        {
            for (var sent = 0; sent < stream.Length;)
            {
                var piece = Math.Min(random.Next(1, 9000), stream.Length - sent);
                await client.SendAsync(stream.AsMemory(sent, piece));
                sent += piece;
            }
        });
        foreach (var packet in packets)
        {
            Assert.Equal(packet, await client.ReceiveAsync());
        }

        await sending.WaitAsync(Wait.Limit);
    }

    [Fact]
    public async Task APacketOfMegabytesComesBackWhole()
    {
        await using var server = await TestServer.StartAsync(handler =>
        {
            handler.MaxPacketBytes = 8 * 1024 * 1024;
            handler.OnReceive = TestServer.Echo;
        });
        using var client = await server.ConnectAsync();
        var packet = new Random(1).Bytes(8 * 1024 * 1024);
        var sending = client.SendPacketAsync(packet);
        Assert.Equal(packet, await client.ReceiveAsync());
        await sending;
    }
}
