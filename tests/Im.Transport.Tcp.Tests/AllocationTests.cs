using Im.Transport.Tcp.Tests.Support;

namespace Im.Transport.Tcp.Tests;

/// <summary>Counts what the whole process allocates, so it runs alone.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
#if DEBUG
    private const long LimitBytes = 450; // unoptimised, async methods are objects
#else
    private const long LimitBytes = 16;
#endif

    private static readonly byte[] Payload = new byte[8 * 1024];

    [Fact]
    public async Task AWriteAllocatesNothing()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        handler.OnWriteTo = writer =>
        {
            writer.BeginPacket(3000);
            writer.Write([1, 2, 3, 4]);
            writer.WriteShared(Payload.AsMemory(0, 2996));
            writer.EndPacket();
            return false;
        };
        var buffer = new byte[64 * 1024];
        await WriteAndReadAsync(200);
        var bytes = long.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            // The least of several: the runtime's own work (compiling, its timers) comes and goes.
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await WriteAndReadAsync(2000);
            bytes = Math.Min(bytes, (GC.GetTotalAllocatedBytes(precise: true) - before) / 2000);
        }

        // A box, a task or a delegate a write would be over this.
        Assert.InRange(bytes, 0, LimitBytes);

        Task WriteAndReadAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                handler.Connection.RequestWrite();
                for (var read = 0; read < 3002;)
                {
                    while (client.Socket.Available == 0)
                    {
                        Thread.Yield(); // a receive that has to wait would allocate
                    }

                    read += client.Socket.Receive(buffer);
                }
            }

            return Task.CompletedTask;
        }
    }
}
