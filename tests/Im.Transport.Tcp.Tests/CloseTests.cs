using System.Diagnostics;
using Im.Protocol;
using Im.Transport.Tcp.Tests.Support;
using Xunit.Abstractions;

namespace Im.Transport.Tcp.Tests;

public sealed class CloseTests(ITestOutputHelper output)
{
    private static readonly byte[] Last = [9, 9, 9, 9, 9];

    [Fact]
    public async Task TheLastPacketArrivesThenTheEnd()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        handler.Enqueue(Last);
        handler.Connection.Close(ImCloseCode.Replaced, "test");
        Assert.Equal(Last, await client.ReceiveAsync());
        Assert.Null(await client.ReceiveAsync());
        client.Dispose();
        Assert.Null(await handler.Disconnection.WaitAsync(Wait.Limit));
        Assert.Contains(server.Logs.Entries, entry => entry.Text.Contains("ended: Replaced, test"));
    }

    [Fact]
    public async Task ACloseInsideAcceptDeliversItsPacket()
    {
        await using var server = await TestServer.StartAsync(handler =>
        {
            handler.Enqueue(Last);
            handler.Connection.RequestWrite();
            handler.Connection.Close(ImCloseCode.TooManyConnections, "test");
        });
        for (var i = 0; i < 50; i++)
        {
            using var client = await server.ConnectAsync();
            Assert.Equal(Last, await client.ReceiveAsync());
            Assert.Null(await client.ReceiveAsync());
        }
    }

    [Fact]
    public async Task TheLastPacketArrivesAtAClientThatKeepsSendingAndHasNotReadYet()
    {
        await using var server = await TestServer.StartAsync(handler => handler.OnReceive = (self, packet) =>
        {
            self.Received.Enqueue(packet);
            return true;
        });
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        using var stop = new CancellationTokenSource();
        var sending = Task.Run(async () =>
        {
            var frame = Frames.Of(new byte[1000]);
            try
            {
                while (!stop.IsCancellationRequested)
                {
                    await client.Socket.SendAsync(frame).WaitAsync(stop.Token);
                }
            }
            catch (Exception error) when (error is System.Net.Sockets.SocketException or OperationCanceledException)
            {
            }
        });
        await Wait.UntilAsync(() => handler.Received.Count > 100);
        for (var i = 0; i < 20; i++)
        {
            handler.Enqueue(new byte[2000]); // for a client with full buffers in both directions
        }

        handler.Enqueue(Last);
        handler.Connection.Close(ImCloseCode.Slow, "test");
        await Wait.UntilAsync(() => handler.Queued == 0);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(2000, (await client.ReceiveAsync())!.Length);
        }

        Assert.Equal(Last, await client.ReceiveAsync());
        Assert.Null(await client.ReceiveAsync());
        await stop.CancelAsync();
        await sending.WaitAsync(Wait.Limit);
        await handler.Disconnection.WaitAsync(Wait.Limit);
    }

    [Fact]
    public async Task AClientThatKeepsItsSideOpenIsDisconnectedSoonAfterTheLastPacket()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        handler.Enqueue(Last);
        var watch = Stopwatch.StartNew();
        handler.Connection.Close(ImCloseCode.Idle, "test");
        Assert.Null(await handler.Disconnection.WaitAsync(Wait.Limit));
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(4));
        Assert.Equal(Last, await client.ReceiveAsync()); // read only now
        Assert.Null(await client.ReceiveAsync());
    }

    [Fact]
    public async Task TheFirstCloseCountsAndLaterCallsDoNothing()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        handler.Connection.Close(ImCloseCode.TokenExpired, "first");
        handler.Connection.Close(ImCloseCode.Idle, "second");
        Assert.Null(await client.ReceiveAsync());
        client.Dispose();
        await handler.Disconnection.WaitAsync(Wait.Limit);
        var writes = handler.Writes;
        handler.Connection.Close(ImCloseCode.Idle, "third");
        handler.Connection.RequestWrite();
        handler.Connection.ResumeReading();
        await Wait.UntilStillAsync(() => handler.Writes);
        Assert.Equal(writes, handler.Writes);
        Assert.Contains(server.Logs.Entries, entry => entry.Text.Contains("ended: TokenExpired, first"));
        Assert.DoesNotContain(server.Logs.Entries, entry => entry.Text.Contains("second") || entry.Text.Contains("third"));
    }

    [Fact]
    public async Task ClosesThatRaceGiveOneEndAndTheQueuedPacket()
    {
        await using var server = await TestServer.StartAsync();
        for (var i = 0; i < 100; i++)
        {
            using var client = await server.ConnectAsync();
            var handler = await server.AcceptedAsync();
            handler.Enqueue(Last);
            Parallel.For(0, 4, n =>
            {
                handler.Connection.RequestWrite();
                handler.Connection.Close(ImCloseCode.Idle, $"close {n}");
                handler.Connection.ResumeReading();
            });
            Assert.Equal(Last, await client.ReceiveAsync());
            Assert.Null(await client.ReceiveAsync());
        }

        await Wait.UntilAsync(() => server.Handlers.All(handler => handler.Disconnection.IsCompleted));
        Assert.Equal(100, server.Logs.Entries.Count(entry => entry.Id.Id == Internal.EventIds.ConnectionEnded));
    }

    [Fact]
    public async Task APacketThatIsQueuedRightBeforeCloseIsNeverLeftBehind()
    {
        await using var server = await TestServer.StartAsync();
        for (var i = 0; i < 300; i++)
        {
            using var client = await server.ConnectAsync();
            var handler = await server.AcceptedAsync();
            handler.Send(new byte[] { 1 }); // the writer is somewhere between its pass and its end
            if (i % 2 == 0)
            {
                Thread.SpinWait(i * 20);
            }

            handler.Enqueue(Last);
            handler.Connection.Close(ImCloseCode.Idle, "test");
            Assert.Equal([1], await client.ReceiveAsync());
            Assert.Equal(Last, await client.ReceiveAsync());
            Assert.Null(await client.ReceiveAsync());
        }
    }

    [Fact]
    public async Task AClientThatHalfClosesStillGetsWhatIsQueued()
    {
        await using var server = await TestServer.StartEchoAsync();
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        await client.SendPacketAsync(Last);
        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Assert.Equal(Last, await client.ReceiveAsync());
        Assert.Null(await client.ReceiveAsync());
        Assert.Null(await handler.Disconnection.WaitAsync(Wait.Limit));
    }

    [Fact]
    public async Task DisconnectedComesOnceAndLastWhateverHappensAtOnce()
    {
        var random = Seed.Create(output.WriteLine);
        await using var server = await TestServer.StartAsync(handler => handler.OnReceive = (self, packet) =>
        {
            self.Send(packet);
            return packet.Length % 3 != 0;
        });
        for (var round = 0; round < 300; round++)
        {
            using var client = await server.ConnectAsync(receiveBufferBytes: 4096);
            var handler = await server.AcceptedAsync();
            await client.SendAsync(Frames.Of([.. Enumerable.Range(0, random.Next(20)).Select(_ => random.Bytes(random.Next(3000)))]));
            var choice = random.Next(7);
            var spins = random.Next(3000);
            var stop = Task.Run(() =>
            {
                Thread.SpinWait(spins);
                switch (choice)
                {
                    case 0: client.Reset(); break;
                    case 1: client.Dispose(); break;
                    case 2: handler.Connection.Close(ImCloseCode.Idle, "test"); break;
                    case 3: ((Internal.TcpConnection)handler.Connection).Abort(Internal.CloseReason.Stopped); break;
                    case 4: client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send); break;
                    case 5: handler.Connection.Close(ImCloseCode.Idle, "test"); client.Reset(); break;
                    default: break;
                }
            });
            for (var i = 0; i < 20; i++)
            {
                handler.Send(new byte[random.Next(5000)]);
                handler.Connection.ResumeReading();
            }

            await stop.WaitAsync(Wait.Limit);
            client.Dispose();
            handler.Connection.ResumeReading();
        }

        // A client that left while it was paused is found by the core's idle timeout; here by the end of the transport.
        await server.Transport.StopAsync(default);
        await Task.WhenAll(server.Handlers.Select(handler => handler.Disconnection)).WaitAsync(Wait.Limit);
        Assert.Equal(300, server.Handlers.Length);
    }
}
