using System.Buffers.Binary;
using Im.Connections;
using Im.Protocol;

namespace Im.Testing.Specification;

public abstract partial class TransportSpecification
{
    /// <summary>What many threads queue arrives, each thread's in its order, each packet once and whole.</summary>
    [Fact]
    public virtual async Task PacketsQueuedFromManyThreadsAllArriveAndEachThreadsInOrder()
    {
        const int Threads = 4;
        const int Each = 3000;
        var (client, handler) = await ConnectAsync();
        await using var _ = client;
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
            var packet = await client.ReceiveAsync().Soon();
            Assert.Equal(next[packet![0]]++, BinaryPrimitives.ReadInt32BigEndian(packet.AsSpan(1)));
        }

        await Task.WhenAll(sending).Soon();
    }

    /// <summary>What is queued at once goes out at once: no write for each packet.</summary>
    [Fact]
    public virtual async Task WhatIsQueuedAtOnceIsGathered()
    {
        var (client, handler) = await ConnectAsync();
        await using var _ = client;
        for (var i = 0; i < 1000; i++)
        {
            handler.Enqueue(new byte[20]);
        }

        handler.RequestWrite();
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal(20, (await client.ReceiveAsync().Soon())!.Length);
        }

        Assert.InRange(handler.Writes, 1, 5);
    }

    /// <summary>The core may have something to say before the transport has finished accepting.</summary>
    [Fact]
    public virtual async Task PacketsQueuedWhileAcceptingAreWritten()
    {
        _core.Prepare = handler => handler.Send("hello"u8.ToArray());
        await using var client = await ClientAsync();
        Assert.Equal("hello"u8.ToArray(), await client.ReceiveAsync().Soon());
    }

    /// <summary>A packet that is not as long as it was announced would spoil all that follow: its connection ends, and nothing of it is seen.</summary>
    [Fact]
    public virtual async Task AHandlerThatAnnouncesAnotherLengthThanItWritesLosesItsConnection()
    {
        foreach (var announced in new[] { 1, 3 })
        {
            var (client, handler) = await ConnectAsync();
            await using (client)
            {
                handler.OnWriteTo = writer =>
                {
                    writer.BeginPacket(announced);
                    writer.Write([1, 2]);
                    writer.EndPacket();
                    return false;
                };
                handler.RequestWrite();
                await handler.Disconnection.Soon();
                Assert.Null(await client.ReceiveAsync().Soon());
            }
        }
    }

    /// <summary>Trap 9: a reader that never reads costs bounded memory, disturbs nobody, and is cut in time.</summary>
    [Fact]
    public virtual async Task AReaderThatNeverReadsCostsBoundedMemoryAndDisturbsNobody()
    {
        var shared = new byte[8 * 1024];
        long written = 0;
        var (slow, flooded) = await ConnectAsync(smallBuffers: true);
        await using var _ = slow;
        flooded.OnWriteTo = writer =>
        {
            while (!writer.IsFull)
            {
                writer.BeginPacket(shared.Length + 1);
                writer.Write([1]);
                writer.WriteShared(shared);
                writer.EndPacket();
                Interlocked.Add(ref written, shared.Length);
            }

            return true; // for ever
        };
        flooded.RequestWrite();
        await UntilAsync(() => Interlocked.Read(ref written) > 0, "the first write");
        await UntilStillAsync(() => Interlocked.Read(ref written));
        Assert.InRange(Interlocked.Read(ref written), 1, 4 * 1024 * 1024); // two kernels' buffers and one write

        _core.Prepare = handler => handler.OnReceive = SpecHandler.Echo;
        await using var other = await ClientAsync();
        for (var i = 0; i < 100; i++)
        {
            await EchoAsync(other);
        }

        flooded.Connection.Close(ImCloseCode.Slow, "test");
        await flooded.Disconnection.Soon();
    }

    /// <summary>Slow is not lost: who reads again gets everything, in order.</summary>
    [Fact]
    public virtual async Task AStoppedReaderThatReadsAgainGetsEverythingInOrder()
    {
        var (client, handler) = await ConnectAsync(smallBuffers: true);
        await using var _ = client;
        var random = new Random(1);
        var packets = Enumerable.Range(0, 1500).Select(_ => Bytes(random, random.Next(6000))).ToArray();
        foreach (var packet in packets)
        {
            handler.Send(packet);
        }

        await UntilStillAsync(() => handler.Queued);
        Assert.True(handler.Queued > 0, "What is on the way must be bounded.");
        foreach (var packet in packets)
        {
            Assert.Equal(packet, await client.ReceiveAsync().Soon());
        }
    }

    /// <summary>A client that sends and never reads is held back; what the core does not want to read waits with the client.</summary>
    [Fact]
    public virtual async Task APausedConnectionIsNotReadAndItsClientIsHeldBack()
    {
        _core.Prepare = handler => handler.OnReceive = (self, packet) =>
        {
            self.Received.Enqueue(packet);
            return self.Received.Count > 1;
        };
        var (client, handler) = await ConnectAsync();
        await using var _ = client;
        var frame = client.Frame(new byte[64 * 1024]);
        long sent = 0;
        using var stop = new CancellationTokenSource();
        var sending = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await client.SendBytesAsync(frame);
                Interlocked.Increment(ref sent);
            }
        });
        await UntilAsync(() => handler.Received.Count == 1, "the first packet");
        await UntilStillAsync(() => Interlocked.Read(ref sent));
        Assert.Single(handler.Received);
        Assert.False(sending.IsCompleted);
        Assert.InRange(Interlocked.Read(ref sent), 0, 500); // 32 MiB, far above what kernels buffer

        // The other direction goes on meanwhile.
        handler.Send("meanwhile"u8.ToArray());
        Assert.Equal("meanwhile"u8.ToArray(), await client.ReceiveAsync().Soon());

        var before = Interlocked.Read(ref sent);
        handler.Connection.ResumeReading();
        await UntilAsync(() => Interlocked.Read(ref sent) > before && handler.Received.Count > before, "reading goes on");
        await stop.CancelAsync();
        await sending.Soon();
    }

    /// <summary>No resume is lost, whenever it comes: a lost one would silence a client for ever.</summary>
    [Fact]
    public virtual async Task AResumeIsNeverLost()
    {
        const int Packets = 3000;
        var random = new Random(TestSeed.Next(output));
        _core.Prepare = handler => handler.OnReceive = (self, packet) =>
        {
            self.Received.Enqueue(packet);
            switch (random.Next(3))
            {
                case 0:
                    self.Connection.ResumeReading(); // before Receive has returned
                    return false;
                case 1:
                    ThreadPool.UnsafeQueueUserWorkItem(static h => h.Connection.ResumeReading(), self, preferLocal: false); // about the same time
                    return false;
                default:
                    return true;
            }
        };
        var (client, handler) = await ConnectAsync();
        await using var _ = client;
        await client.SendBytesAsync(Frames(client, [.. Enumerable.Range(0, Packets).Select(i => BitConverter.GetBytes(i))])).Soon();
        await UntilAsync(() => handler.Received.Count == Packets, "all packets");
        Assert.Equal(Enumerable.Range(0, Packets), handler.Received.Select(packet => BitConverter.ToInt32(packet)));
    }

    /// <summary>A resume too many does not let a packet through that the core wants to wait.</summary>
    [Fact]
    public virtual async Task AResumeThatNobodyAskedForDoesNotSkipTheNextPause()
    {
        _core.Prepare = handler => handler.OnReceive = (self, packet) =>
        {
            self.Received.Enqueue(packet);
            return false;
        };
        var (client, handler) = await ConnectAsync();
        await using var _ = client;
        handler.Connection.ResumeReading();
        handler.Connection.ResumeReading();
        await client.SendBytesAsync(Frames(client, [1], [2], [3])).Soon();
        await UntilAsync(() => handler.Received.Count == 1, "the first packet");
        await UntilStillAsync(() => handler.Received.Count);
        Assert.Single(handler.Received);
        handler.Connection.ResumeReading();
        await UntilAsync(() => handler.Received.Count == 2, "the second packet");
    }

    /// <summary>An idle connection costs next to nothing: ten thousand of them hold no buffers.</summary>
    [AbilityFact]
    public virtual async Task IdleConnectionsHoldNoBuffers()
    {
        _ = _server.RentedBuffers ?? throw new MissingAbilityException("The transport does not tell how many buffers it holds.");
        _core.Prepare = handler => handler.OnReceive = SpecHandler.Echo;
        var clients = new List<ITransportClient>();
        for (var i = 0; i < 50; i++)
        {
            clients.Add(await ClientAsync());
            await EchoAsync(clients[^1]);
        }

        await UntilAsync(() => _server.RentedBuffers == 0, "every buffer is given back");
        foreach (var client in clients)
        {
            await EchoAsync(client);
            await client.DisposeAsync();
        }
    }
}
