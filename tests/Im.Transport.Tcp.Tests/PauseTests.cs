using System.Net.Sockets;
using Im.Transport.Tcp.Tests.Support;

namespace Im.Transport.Tcp.Tests;

public sealed class PauseTests
{
    [Fact]
    public async Task APausedConnectionIsNotReadUntilItIsResumed()
    {
        await using var server = await TestServer.StartAsync(handler => handler.OnReceive = (self, packet) =>
        {
            self.Received.Enqueue(packet);
            return self.Received.Count > 1;
        });
        using var client = await server.ConnectAsync();
        client.Socket.SendBufferSize = 64 * 1024;
        var handler = await server.AcceptedAsync();
        var packet = new byte[64 * 1024];
        long sent = 0;
        using var stop = new CancellationTokenSource();
        var sending = Task.Run(async () =>
        {
            var frame = Frames.Of(packet);
            while (!stop.IsCancellationRequested)
            {
                await client.Socket.SendAsync(frame, SocketFlags.None, CancellationToken.None);
                Interlocked.Increment(ref sent);
            }
        });

        await Wait.UntilAsync(() => handler.Received.Count == 1);
        await Wait.UntilStillAsync(() => Interlocked.Read(ref sent)); // the kernel's buffers are full
        Assert.Single(handler.Received);
        Assert.False(sending.IsCompleted);
        Assert.InRange(server.Transport.Buffers.Rented, 0, 1);

        var before = Interlocked.Read(ref sent);
        handler.Connection.ResumeReading();
        await Wait.UntilAsync(() => Interlocked.Read(ref sent) > before && handler.Received.Count > before);
        await stop.CancelAsync();
        await sending.WaitAsync(Wait.Limit);
    }

    [Fact]
    public async Task AResumeThatComesBeforeReceiveHasReturnedIsNotLost()
    {
        await using var server = await TestServer.StartAsync(handler => handler.OnReceive = (self, packet) =>
        {
            self.Connection.ResumeReading();
            self.Received.Enqueue(packet);
            return false;
        });
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        await client.SendAsync(Frames.Of([.. Enumerable.Range(0, 1000).Select(i => new[] { (byte)i })]));
        await Wait.UntilAsync(() => handler.Received.Count == 1000);
    }

    [Fact]
    public async Task AResumeFromAnotherThreadThatRacesThePauseIsNotLost()
    {
        await using var server = await TestServer.StartAsync(handler => handler.OnReceive = (self, packet) =>
        {
            self.Received.Enqueue(packet);
            ThreadPool.UnsafeQueueUserWorkItem(_ => self.Connection.ResumeReading(), null);
            return false;
        });
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        await client.SendAsync(Frames.Of([.. Enumerable.Range(0, 20_000).Select(i => new[] { (byte)i })]));
        await Wait.UntilAsync(() => handler.Received.Count == 20_000);
    }

    [Fact]
    public async Task AResumeThatNobodyAskedForDoesNotSkipTheNextPause()
    {
        await using var server = await TestServer.StartAsync(handler => handler.OnReceive = (self, packet) =>
        {
            self.Received.Enqueue(packet);
            return false;
        });
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        handler.Connection.ResumeReading();
        handler.Connection.ResumeReading();
        await client.SendAsync(Frames.Of([1], [2], [3]));
        await Wait.UntilAsync(() => handler.Received.Count == 1);
        await Wait.UntilStillAsync(() => handler.Received.Count);
        Assert.Single(handler.Received);
        handler.Connection.ResumeReading();
        await Wait.UntilAsync(() => handler.Received.Count == 2);
    }

    [Fact]
    public async Task APausedConnectionCloses()
    {
        await using var server = await TestServer.StartAsync(handler => handler.OnReceive = (_, _) => false);
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        await client.SendAsync(Frames.Of([1], [2]));
        await Wait.UntilAsync(() => server.Transport.Buffers.Rented == 1);
        handler.Enqueue(new byte[] { 9 });
        handler.Connection.Close(ImCloseCode.Slow, "test");
        Assert.Equal([9], await client.ReceiveAsync());
        Assert.Null(await client.ReceiveAsync());
        client.Dispose();
        Assert.Null(await handler.Disconnection.WaitAsync(Wait.Limit));
    }
}
