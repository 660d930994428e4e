using Im.Protocol;
using Im.Transport.Tcp.Tests.Support;
using Xunit.Abstractions;

namespace Im.Transport.Tcp.Tests;

public sealed class BadInputTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(new byte[] { 0x81, 0x08 })] // 1025, one over the limit
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0x07 })] // int.MaxValue
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0x0F })] // -1
    [InlineData(new byte[] { 0x80, 0x80, 0x80, 0x80, 0x80, 0x01 })] // no varint of 32 bits
    [InlineData(new byte[] { (byte)'G', (byte)'E', (byte)'T', (byte)' ', (byte)'/' }, 70)] // text
    public async Task ALengthOverTheLimitOrNegativeIsRefusedWithAReasonAndDisturbsNobody(byte[] prefix, int limit = 1024)
    {
        await using var server = await TestServer.StartAsync(handler =>
        {
            handler.MaxPacketBytes = limit;
            handler.OnReceive = TestServer.Echo;
        });
        using var other = await server.ConnectAsync();
        await server.AcceptedAsync();
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        await client.SendAsync(prefix);

        Assert.Equal("closed: FrameTooLarge"u8.ToArray(), await client.ReceiveAsync());
        Assert.Null(await client.ReceiveAsync());
        client.Dispose();
        Assert.Null(await handler.Disconnection.WaitAsync(Wait.Limit));
        Assert.Equal(ImCloseCode.FrameTooLarge, handler.Failure?.Code);

        await other.SendPacketAsync([1]);
        Assert.Equal([1], await other.ReceiveAsync());
    }

    [Fact]
    public async Task ALengthAloneAllocatesNothingOfThatSize()
    {
        const int Claimed = 512 * 1024 * 1024;
        await using var server = await TestServer.StartAsync(handler => handler.MaxPacketBytes = Claimed);
        var before = GC.GetTotalAllocatedBytes();
        var clients = new List<TestClient>();
        for (var i = 0; i < 20; i++)
        {
            clients.Add(await server.ConnectAsync());
            await clients[^1].SendAsync(new byte[] { 0x80, 0x80, 0x80, 0x80, 0x02 }); // 512 MiB
            await clients[^1].SendAsync(new byte[100]);
        }

        await Wait.UntilAsync(() => server.Transport.Buffers.Rented == 20);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, Claimed / 2); // other tests allocate beside this one
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task TheLimitMayRiseBetweenTwoPackets()
    {
        await using var server = await TestServer.StartAsync(handler =>
        {
            handler.MaxPacketBytes = 10;
            handler.OnReceive = (self, packet) =>
            {
                self.MaxPacketBytes = 100;
                return TestServer.Echo(self, packet);
            };
        });
        using var client = await server.ConnectAsync();
        await client.SendAsync(Frames.Of([1], new byte[100]));
        Assert.Equal([1], await client.ReceiveAsync());
        Assert.Equal(new byte[100], await client.ReceiveAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    public async Task AClientThatLeavesInsideAFrameIsDisconnectedWithoutAPacket(int bytes)
    {
        await using var server = await TestServer.StartAsync();
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        await client.SendAsync(Frames.Of(new byte[10]).AsMemory(0, bytes));
        client.Dispose();
        Assert.Null(await handler.Disconnection.WaitAsync(Wait.Limit));
        Assert.Empty(handler.Received);
        Assert.Null(handler.Failure);
    }

    [Fact]
    public async Task TwentyThousandMutatedStreamsLeaveAServerThatServes()
    {
        var mutations = int.TryParse(Environment.GetEnvironmentVariable("IM_MUTATIONS"), out var given) ? given : 20_000;
        const int StreamsPerConnection = 10;
        var random = Seed.Create(output.WriteLine);
        await using var server = await TestServer.StartAsync(handler =>
        {
            handler.MaxPacketBytes = 300;
            handler.OnReceive = TestServer.Echo;
        });
        using var bystander = await server.ConnectAsync();
        await server.AcceptedAsync();
        var refused = 0;
        for (var sent = 0; sent < mutations; sent += StreamsPerConnection)
        {
            using var client = await server.ConnectAsync();
            var handler = await server.AcceptedAsync();
            try
            {
                for (var i = 0; i < StreamsPerConnection; i++)
                {
                    await client.SendAsync(Mutate(random, Frames.Of(random.Bytes(random.Next(20)), random.Bytes(random.Next(250)))));
                }

                client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
                await client.ReadToEndAsync();
            }
            catch (Exception error) when (error is IOException or System.Net.Sockets.SocketException)
            {
                // The server has closed on what came before.
            }

            await handler.Disconnection.WaitAsync(Wait.Limit);
            refused += handler.Failure is null ? 0 : 1;
        }

        output.WriteLine($"{refused} connections refused");
        await Wait.UntilAsync(() => server.Transport.ConnectionCount == 1);
        using var healthy = await server.ConnectAsync();
        foreach (var one in new[] { bystander, healthy })
        {
            await one.SendPacketAsync([1, 2, 3]);
            Assert.Equal([1, 2, 3], await one.ReceiveAsync());
        }

        Assert.InRange(refused, mutations / StreamsPerConnection / 2, mutations / StreamsPerConnection);
    }

    private static byte[] Mutate(Random random, byte[] stream)
    {
        switch (random.Next(5))
        {
            case 0: // a bit
                stream[random.Next(stream.Length)] ^= (byte)(1 << random.Next(8));
                return stream;
            case 1: // a byte, often in a prefix
                stream[random.Next(Math.Min(3, stream.Length))] = (byte)random.Next(256);
                return stream;
            case 2: // cut
                return stream[..random.Next(stream.Length)];
            case 3: // a hole
                var from = random.Next(stream.Length);
                return [.. stream[..from], .. stream[Math.Min(stream.Length, from + random.Next(1, 9))..]];
            default: // something in between
                var at = random.Next(stream.Length);
                return [.. stream[..at], .. random.Bytes(random.Next(1, 9)), .. stream[at..]];
        }
    }
}
