using System.Net.WebSockets;
using System.Text;
using Im.Protocol;

namespace Im.Transport.WebSockets.Tests;

public sealed class FlowTests
{
    [Fact]
    public async Task ReadingPausesUntilItIsResumed()
    {
        await using var server = await LiveServer.StartAsync();
        server.Core.Configure = handler => handler.OnPacket = static (_, packet) => packet[0] != 'p';
        var (client, handler) = await server.ConnectBothAsync();
        await client.SendTextAsync("pause");
        await client.SendTextAsync("after");
        Assert.Equal("pause"u8.ToArray(), await handler.NextAsync());

        // The other direction goes on, and its round trip shows that the reader had time to break the rule.
        handler.Send("meanwhile"u8.ToArray());
        Assert.Equal("meanwhile", await client.ReceiveTextAsync());
        Assert.False(handler.TryNext(out _));
        await Waiting.UntilAsync(() => server.Transport.Buffers.Rented == 0, "a paused connection holds no buffer");
        handler.Connection.ResumeReading();
        Assert.Equal("after"u8.ToArray(), await handler.NextAsync());
        client.Dispose();
    }

    [Fact]
    public async Task AResumeIsNeverLost()
    {
        await using var server = await LiveServer.StartAsync();
        var random = new Random(Waiting.Seed());
        server.Core.Configure = handler => handler.OnPacket = (self, _) =>
        {
            switch (random.Next(3))
            {
                case 0:
                    self.Connection.ResumeReading(); // before Receive has returned
                    return false;
                case 1:
                    ThreadPool.QueueUserWorkItem(static h => h.Connection.ResumeReading(), self, preferLocal: false); // about the same time
                    return false;
                default:
                    return true;
            }
        };
        var (client, handler) = await server.ConnectBothAsync();
        for (var i = 0; i < 3000; i++)
        {
            await client.SendTextAsync($"{i}");
        }

        for (var i = 0; i < 3000; i++)
        {
            Assert.Equal($"{i}", Encoding.UTF8.GetString(await handler.NextAsync()));
        }

        client.Dispose();
    }

    [Fact]
    public async Task APausedConnectionStillClosesAndStillNoticesALoss()
    {
        await using var server = await LiveServer.StartAsync();
        server.Core.Configure = handler => handler.OnPacket = static (_, _) => false;
        var (client, handler) = await server.ConnectBothAsync();
        await client.SendTextAsync("x");
        await handler.NextAsync();
        await client.SendTextAsync("never received");
        handler.Connection.Close(ImCloseCode.Slow, "paused for long");
        Assert.Equal((int)ImCloseCode.Slow, (await client.ReceiveCloseAsync()).Code);
        Assert.Null(await handler.Disconnection);
        Assert.False(handler.TryNext(out _));

        using var raw = await RawClient.ConnectAsync(server, LiveServer.Json);
        var lost = await server.Core.NextAsync();
        await raw.SendAsync(RawClient.Frame(0x81, "x"u8));
        await lost.NextAsync();
        raw.Socket.Close(0);
        Assert.NotNull(await lost.Disconnection);
        client.Dispose();
    }

    [Fact]
    public async Task ASlowReaderIsBoundedAndDisturbsNobody()
    {
        await using var server = await LiveServer.StartAsync();
        using var slow = await RawClient.ConnectAsync(server, LiveServer.Protobuf, receiveBuffer: 16 * 1024);
        var stuck = await server.Core.NextAsync();
        var (client, handler) = await server.ConnectBothAsync(LiveServer.Protobuf);
        const int packets = 5000;
        var payload = new byte[2000];
        for (var i = 0; i < packets; i++)
        {
            stuck.Send(payload);
            handler.Send(payload);
        }

        for (var i = 0; i < packets; i++)
        {
            Assert.Equal(payload.Length, (await client.ReceiveMessageAsync())!.Length);
        }

        // Ten megabytes were queued; what has left the queue sits in one write, the web server's and the kernel's buffers.
        var taken = (packets * payload.Length) - stuck.QueuedBytes;
        Assert.InRange(taken, 1, 2_000_000);
        for (var i = 0; i < packets; i++)
        {
            Assert.Equal(payload.Length, (await slow.ReceiveFrameAsync()).Payload.Length);
        }

        client.Dispose();
    }

    [Fact]
    public async Task IdleConnectionsHoldNoPooledBuffers()
    {
        await using var server = await LiveServer.StartAsync();
        server.Core.Configure = handler => handler.OnPacket = static (self, packet) =>
        {
            self.Send(packet);
            return true;
        };
        var clients = new List<ClientWebSocket>();
        for (var i = 0; i < 50; i++)
        {
            var client = await server.ConnectAsync();
            clients.Add(client);
            await client.SendTextAsync($"{i}");
            Assert.Equal($"{i}", await client.ReceiveTextAsync());
        }

        await Waiting.UntilAsync(() => server.Transport.Buffers.Rented == 0, "every buffer is given back");
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task HoweverAConnectionEndsDisconnectedIsTheLastCallAndTheOnlyOne()
    {
        var seed = Waiting.Seed();
        await using var server = await LiveServer.StartAsync(options => options.CloseTimeout = TimeSpan.FromMilliseconds(500));
        server.Core.Configure = handler => handler.OnPacket = static (self, packet) =>
        {
            self.Send(packet);
            return packet.Length % 3 != 0;
        };

        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => RunAsync(new Random(seed + worker)))).InTime();
        foreach (var handler in server.Core.All)
        {
            await handler.Disconnection;
        }

        // LiveServer asserts on disposal: no breach of the seam's rules, every handler disconnected, no buffer kept.
        async Task RunAsync(Random random)
        {
            for (var round = 0; round < 40; round++)
            {
                using var client = await RawClient.ConnectAsync(server, LiveServer.Json);
                for (var i = random.Next(5); i >= 0; i--)
                {
                    await client.SendAsync(RawClient.Frame(0x81, Encoding.ASCII.GetBytes(new string('x', random.Next(300)))));
                }

                var handlers = server.Core.All.Where(handler => random.Next(8) == 0).ToArray();
                switch (random.Next(5))
                {
                    case 0:
                        client.Socket.Close(0);
                        break;
                    case 1:
                        await client.SendAsync(RawClient.Frame(0x88, [0x03, 0xE8]));
                        break;
                    case 2:
                        Array.ForEach(handlers, handler => handler.Connection.Close(ImCloseCode.Replaced, "stress"));
                        break;
                    case 3:
                        await client.SendAsync([0x81, 0x85, 1]); // cut inside a frame
                        break;
                    default:
                        Array.ForEach(handlers, handler => handler.Send("more"u8.ToArray()));
                        Array.ForEach(handlers, handler => handler.Connection.ResumeReading());
                        break;
                }
            }
        }
    }
}
