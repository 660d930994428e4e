using Im.Transport.Tcp.Tests.Support;

namespace Im.Transport.Tcp.Tests;

public sealed class IdleTests
{
    [Fact]
    public async Task IdleConnectionsHoldNoBuffers()
    {
        await using var server = await TestServer.StartEchoAsync();
        var clients = new List<TestClient>();
        for (var i = 0; i < 200; i++)
        {
            var client = await server.ConnectAsync();
            await client.SendPacketAsync(new byte[3000]);
            Assert.Equal(3000, (await client.ReceiveAsync())!.Length);
            clients.Add(client);
        }

        await Wait.UntilAsync(() => server.Transport.Buffers.Rented == 0);
        Assert.Equal(200, server.Transport.ConnectionCount);
        clients.ForEach(client => client.Dispose());
        await Wait.UntilAsync(() => server.Transport.ConnectionCount == 0);
    }

    [Fact]
    public async Task APartOfAPacketHoldsOneSmallBufferUntilTheRestHasCome()
    {
        await using var server = await TestServer.StartEchoAsync();
        using var client = await server.ConnectAsync();
        var frame = Frames.Of(new byte[100_000], new byte[10]);
        await client.SendAsync(frame.AsMemory(0, frame.Length - 1)); // all of the large one, most of the small one
        Assert.Equal(100_000, (await client.ReceiveAsync())!.Length);
        await Wait.UntilAsync(() => server.Transport.Buffers.Rented == 1);
        await client.SendAsync(frame.AsMemory(frame.Length - 1));
        Assert.Equal(10, (await client.ReceiveAsync())!.Length);
        await Wait.UntilAsync(() => server.Transport.Buffers.Rented == 0);
    }
}
