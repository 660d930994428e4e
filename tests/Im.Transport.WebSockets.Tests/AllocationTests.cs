using System.Net.Sockets;

namespace Im.Transport.WebSockets.Tests;

/// <summary>The counter is the process's: nothing else may run beside these.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
    [Fact]
    public async Task AnAnnouncedLengthAllocatesNothingUntilBytesArrive()
    {
        await using var server = await LiveServer.StartAsync();
        server.Core.Configure = static handler => handler.MaxPacketBytes = 100_000_000;
        using var raw = await RawClient.ConnectAsync(server, LiveServer.Protobuf);
        var handler = await server.Core.NextAsync();
        var before = GC.GetTotalAllocatedBytes();
        await raw.SendAsync([0x82, 0xFF, 0, 0, 0, 0, 0x05, 0, 0, 0, 0, 0, 0, 0, 1]); // 80 MB announced, one byte sent
        await Waiting.UntilAsync(() => server.Transport.Buffers.Rented == 1, "the first bytes are being read");
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 4_000_000);
        raw.Dispose();
        Assert.NotNull(await handler.Disconnection);
    }

    // Debug allocates a state machine for each async call; Release measures 128 and 304 bytes, Kestrel and this client included.
    [Theory]
    [InlineData(false, 600)]
    [InlineData(true, 1000)]
    public async Task ASmallPacketCostsNextToNoGarbage(bool bothWays, int mostBytes)
    {
        await using var server = await LiveServer.StartAsync();
        var answer = new byte[100];
        server.Core.Configure = handler => handler.OnPacket = (self, _) =>
        {
            self.Send(answer);
            return true;
        };
        using var client = await RawClient.ConnectAsync(server, LiveServer.Protobuf);
        var handler = await server.Core.NextAsync();
        var frame = RawClient.Frame(0x82, answer);
        var buffer = new byte[102];
        await RoundTripsAsync(2000);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        const int rounds = 5000;
        await RoundTripsAsync(rounds);
        var bytesPerRound = (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)rounds;
        Console.WriteLine($"{bytesPerRound:F0} bytes a round, both ways: {bothWays}");
        Assert.InRange(bytesPerRound, 0, mostBytes);

        async Task RoundTripsAsync(int count)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            for (var i = 0; i < count; i++)
            {
                if (bothWays)
                {
                    await client.Socket.SendAsync(frame, SocketFlags.None, deadline.Token);
                }
                else
                {
                    handler.Send(answer);
                }

                for (var got = 0; got < buffer.Length;)
                {
                    got += await client.Socket.ReceiveAsync(buffer.AsMemory(got), SocketFlags.None, deadline.Token);
                }
            }
        }
    }
}
