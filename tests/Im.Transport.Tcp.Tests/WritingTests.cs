using System.Buffers.Binary;
using Im.Transport.Tcp.Tests.Support;

namespace Im.Transport.Tcp.Tests;

public sealed class WritingTests
{
    [Fact]
    public async Task PacketsQueuedFromManyThreadsAllArriveAndEachThreadsInOrder()
    {
        const int Threads = 4;
        const int Each = 10_000;
        await using var server = await TestServer.StartAsync();
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        var sending = Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < Each; i++)
            {
                var packet = new byte[5];
                packet[0] = (byte)thread;
                BinaryPrimitives.WriteInt32BigEndian(packet.AsSpan(1), i);
                handler.Send(packet);
            }
        })).ToArray();
        var next = new int[Threads];
        for (var i = 0; i < Threads * Each; i++)
        {
            var packet = await client.ReceiveAsync();
            Assert.Equal(next[packet![0]]++, BinaryPrimitives.ReadInt32BigEndian(packet.AsSpan(1)));
        }

        await Task.WhenAll(sending).WaitAsync(Wait.Limit);
    }

    [Fact]
    public async Task AHandlerThatAnnouncesAnotherLengthThanItWritesLosesItsConnection()
    {
        var server = await TestServer.StartAsync();
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        handler.OnWriteTo = writer =>
        {
            writer.BeginPacket(2);
            writer.Write([1]);
            return false;
        };
        handler.Connection.RequestWrite();
        Assert.IsType<InvalidOperationException>(await handler.Disconnection.WaitAsync(Wait.Limit));
        Assert.Equal(0, await client.ReadToEndAsync());
        await server.Transport.StopAsync(default);
        Assert.Equal(0, server.Transport.Buffers.Rented);
    }

    [Fact]
    public async Task WhatIsQueuedAtOnceGoesOutInOneWrite()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        for (var i = 0; i < 1000; i++)
        {
            handler.Enqueue(new byte[20]);
        }

        handler.Connection.RequestWrite();
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal(20, (await client.ReceiveAsync())!.Length);
        }

        Assert.InRange(handler.Writes, 1, 2); // 21,000 bytes: one write, and perhaps one look more
    }
}
