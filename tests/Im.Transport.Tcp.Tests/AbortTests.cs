using Im.Transport.Tcp.Tests.Support;
using Xunit.Abstractions;

namespace Im.Transport.Tcp.Tests;

public sealed class AbortTests(ITestOutputHelper output)
{
    // Once, an abort between a writer's pass and its parking left the connection waiting for that writer for ever.
    [Fact]
    public async Task AnAbortAtAnyMomentEndsTheConnection()
    {
        var rounds = int.TryParse(Environment.GetEnvironmentVariable("IM_ABORTS"), out var given) ? given : 2000;
        var random = Seed.Create(output.WriteLine);
        await using var server = await TestServer.StartAsync(handler =>
        {
            handler.MaxPacketBytes = 300;
            handler.OnReceive = TestServer.Echo;
        });
        for (var round = 0; round < rounds; round++)
        {
            using var client = await server.ConnectAsync();
            var handler = await server.AcceptedAsync();
            var spins = random.Next(2000);
            var abort = Task.Run(() =>
            {
                Thread.SpinWait(spins);
                ((Internal.TcpConnection)handler.Connection).Abort(Internal.CloseReason.Stopped);
            });
            var bytes = round % 2 == 0 ? Frames.Of([1, 2, 3], new byte[200]) : [0xFF, 0xFF, 0xFF];
            try
            {
                await client.SendAsync(bytes);
                client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            }
            catch (Exception error) when (error is IOException or System.Net.Sockets.SocketException)
            {
            }

            await abort.WaitAsync(Wait.Limit);
            await handler.Disconnection.WaitAsync(Wait.Limit);
        }
    }
}
