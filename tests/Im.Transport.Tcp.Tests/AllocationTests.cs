using Im.Transport.Tcp.Tests.Support;

namespace Im.Transport.Tcp.Tests;

/// <summary>Counts what the whole process allocates, so it runs alone.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
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
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await WriteAndReadAsync(2000);
        var bytes = (GC.GetTotalAllocatedBytes(precise: true) - before) / 2000;

        // A box, a task or a list a write would be over this; the client's blocking reads allocate nothing.
        Assert.InRange(bytes, 0, 40);

        Task WriteAndReadAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                handler.Connection.RequestWrite();
                for (var read = 0; read < 3002;)
                {
                    read += client.Socket.Receive(buffer);
                }
            }

            return Task.CompletedTask;
        }
    }
}
