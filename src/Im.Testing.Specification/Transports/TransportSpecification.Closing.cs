using Im.Connections;
using Im.Protocol;

namespace Im.Testing.Specification;

public abstract partial class TransportSpecification
{
    private static readonly byte[] Last = [9, 9, 9, 9, 9];

    /// <summary>A client learns why it was closed: the last packet arrives, then the end, with the code where there are codes.</summary>
    [Fact]
    public virtual async Task TheLastPacketArrivesThenTheEndWithItsCode()
    {
        var (client, handler) = await ConnectAsync();
        await using (client)
        {
            for (var i = 0; i < 200; i++)
            {
                handler.Enqueue(BitConverter.GetBytes(i));
            }

            handler.Enqueue(Last);
            handler.Connection.Close(ImCloseCode.Replaced, "test");
            for (var i = 0; i < 200; i++)
            {
                Assert.Equal(BitConverter.GetBytes(i), await client.ReceiveAsync().Soon());
            }

            Assert.Equal(Last, await client.ReceiveAsync().Soon());
            Assert.Null(await client.ReceiveAsync().Soon());
            CheckCode(client, ImCloseCode.Replaced);
        }

        Assert.Null(await handler.Disconnection.Soon());
    }

    /// <summary>A connection that is one too many is told so, like any other that is closed.</summary>
    [Fact]
    public virtual async Task ACloseWhileAcceptingDeliversItsPacket()
    {
        _core.Prepare = handler =>
        {
            handler.Enqueue(Last);
            handler.RequestWrite();
            handler.Connection.Close(ImCloseCode.TooManyConnections, "test");
        };
        for (var i = 0; i < 20; i++)
        {
            await using var client = await ClientAsync();
            Assert.Equal(Last, await client.ReceiveAsync().Soon());
            Assert.Null(await client.ReceiveAsync().Soon());
            CheckCode(client, ImCloseCode.TooManyConnections);
        }
    }

    /// <summary>Trap 10: the first reason counts, and what comes after the end does nothing.</summary>
    [Fact]
    public virtual async Task TheFirstCloseCountsAndLaterCallsDoNothing()
    {
        var (client, handler) = await ConnectAsync();
        handler.Connection.Close(ImCloseCode.TokenExpired, "first");
        handler.Connection.Close(ImCloseCode.Idle, "second");
        Assert.Null(await client.ReceiveAsync().Soon());
        CheckCode(client, ImCloseCode.TokenExpired);
        await client.DisposeAsync();
        await handler.Disconnection.Soon();
        var writes = handler.Writes;
        handler.Connection.Close(ImCloseCode.Idle, "third");
        handler.RequestWrite();
        handler.Connection.ResumeReading();
        await UntilStillAsync(() => handler.Writes);
        Assert.Equal(writes, handler.Writes);
    }

    /// <summary>The Close packet is never left behind, wherever the writer is at that moment.</summary>
    [Fact]
    public virtual async Task APacketThatIsQueuedRightBeforeCloseIsNeverLeftBehind()
    {
        for (var i = 0; i < 150; i++)
        {
            var (client, handler) = await ConnectAsync();
            await using var _ = client;
            handler.Send(new byte[] { 1 }); // the writer is somewhere between its pass and its end
            if (i % 2 == 0)
            {
                Thread.SpinWait(i * 40);
            }

            handler.Enqueue(Last);
            handler.Connection.Close(ImCloseCode.Idle, "test");
            Assert.Equal([1], await client.ReceiveAsync().Soon());
            Assert.Equal(Last, await client.ReceiveAsync().Soon());
            Assert.Null(await client.ReceiveAsync().Soon());
        }
    }

    /// <summary>Trap 10: closes that race each other give one end and the queued packet.</summary>
    [Fact]
    public virtual async Task ClosesThatRaceGiveOneEndAndTheQueuedPacket()
    {
        for (var i = 0; i < 40; i++)
        {
            var (client, handler) = await ConnectAsync();
            await using (client)
            {
                handler.Enqueue(Last);
                Parallel.For(0, 4, n =>
                {
                    handler.RequestWrite();
                    handler.Connection.Close(ImCloseCode.Idle, $"close {n}");
                    handler.Connection.ResumeReading();
                });
                Assert.Equal(Last, await client.ReceiveAsync().Soon());
                Assert.Null(await client.ReceiveAsync().Soon());
            }

            await handler.Disconnection.Soon();
        }
    }

    /// <summary>Nothing is read after a close: what the client still sends changes nothing.</summary>
    [Fact]
    public virtual async Task NothingIsReceivedAfterAClose()
    {
        _core.Prepare = handler => handler.OnReceive = (self, packet) =>
        {
            self.Received.Enqueue(packet);
            self.Connection.Close(ImCloseCode.Disconnected, "test");
            return true;
        };
        var (client, handler) = await ConnectAsync();
        await client.SendBytesAsync(Frames(client, [1], [2], [3])).Soon();
        Assert.Null(await client.ReceiveAsync().Soon());
        await client.DisposeAsync();
        await handler.Disconnection.Soon();
        Assert.Single(handler.Received);
    }

    /// <summary>A connection that is not read now can be closed.</summary>
    [Fact]
    public virtual async Task APausedConnectionCloses()
    {
        _core.Prepare = handler => handler.OnReceive = (self, packet) =>
        {
            self.Received.Enqueue(packet);
            return false;
        };
        var (client, handler) = await ConnectAsync();
        await using (client)
        {
            await client.SendBytesAsync(Frames(client, [1], [2])).Soon();
            await UntilAsync(() => handler.Received.Count == 1, "the first packet");
            handler.Enqueue(Last);
            handler.Connection.Close(ImCloseCode.Slow, "test");
            Assert.Equal(Last, await client.ReceiveAsync().Soon());
            Assert.Null(await client.ReceiveAsync().Soon());
        }

        await handler.Disconnection.Soon();
        Assert.Single(handler.Received);
    }

    /// <summary>A closed client that neither reads nor leaves is cut after a short time: sockets do not pile up.</summary>
    [Fact]
    public virtual async Task AClientThatKeepsItsSideOpenIsDisconnectedSoonAfterTheLastPacket()
    {
        var (client, handler) = await ConnectAsync();
        await using var _ = client;
        handler.Enqueue(Last);
        handler.Connection.Close(ImCloseCode.Idle, "test");
        await handler.Disconnection.WaitAsync(CloseTimeout + TimeSpan.FromSeconds(5));
    }

    /// <summary>A client that is done says so, and that is no error.</summary>
    [Fact]
    public virtual async Task AClientThatLeavesIsNoError()
    {
        var (client, handler) = await ConnectAsync();
        await client.SendBytesAsync(client.Frame([1])).Soon();
        await client.LeaveAsync().Soon();
        Assert.Null(await handler.Disconnection.Soon());
        Assert.Equal([1], Assert.Single(handler.Received));
        await client.DisposeAsync();
    }

    /// <summary>A client whose network is gone is noticed, also one that is being written to.</summary>
    [Fact]
    public virtual async Task AClientThatIsCutOffIsDisconnected()
    {
        foreach (var writing in new[] { false, true })
        {
            var (client, handler) = await ConnectAsync();
            if (writing)
            {
                handler.Send(new byte[2_000_000]);
            }

            client.Cut();
            await handler.Disconnection.Soon();
            await client.DisposeAsync();
        }
    }

    /// <summary>One connection's bug is that connection's end, and nobody else's.</summary>
    [Fact]
    public virtual async Task AHandlerThatThrowsLosesItsConnectionAndNoOther()
    {
        _core.Prepare = handler => handler.OnReceive = (self, packet) =>
            packet is [0] ? throw new InvalidOperationException("a bug") : SpecHandler.Echo(self, packet);
        await using var good = await ClientAsync();
        await _core.NextAsync();
        var (bad, handler) = await ConnectAsync();
        await using (bad)
        {
            await bad.SendBytesAsync(bad.Frame([0])).Soon();
            Assert.Null(await bad.ReceiveAsync().Soon());
        }

        await handler.Disconnection.Soon();
        await EchoAsync(good);
    }

    /// <summary>Trap 25: a server that goes accepts nobody more and goes on with who is there.</summary>
    [Fact]
    public virtual async Task AfterAcceptingStoppedNewConnectionsAreRefusedAndOldOnesGoOn()
    {
        _core.Prepare = handler => handler.OnReceive = SpecHandler.Echo;
        await using var old = await ClientAsync();
        await EchoAsync(old);
        await _server.Transport.StopAcceptingAsync(CancellationToken.None).Soon();
        await Assert.ThrowsAnyAsync<Exception>(() => ClientAsync());
        await EchoAsync(old);
        Assert.Single(_core.Handlers);
    }

    /// <summary>When the transport has stopped nothing of it runs any more.</summary>
    [Fact]
    public virtual async Task StoppingCutsWhatIsConnectedAndWaitsForItsEnd()
    {
        _core.Prepare = handler => handler.OnReceive = SpecHandler.Echo;
        var clients = new[] { await ClientAsync(), await ClientAsync(), await ClientAsync() };
        foreach (var client in clients)
        {
            await EchoAsync(client);
        }

        await _server.Transport.StopAcceptingAsync(CancellationToken.None).Soon();
        await _server.Transport.StopAsync(CancellationToken.None).Soon();
        Assert.All(_core.Handlers, handler => Assert.True(handler.Disconnection.IsCompleted));
        foreach (var client in clients)
        {
            Assert.Null(await client.ReceiveAsync().Soon());
            await client.DisposeAsync();
        }
    }

    /// <summary>Trap 10: however a connection ends, its handler hears of it once, and nothing after it.</summary>
    [Fact]
    public virtual async Task HoweverAConnectionEndsDisconnectedIsTheLastCallAndTheOnlyOne()
    {
        var random = new Random(TestSeed.Next(output));
        _core.Prepare = handler => handler.OnReceive = (self, packet) =>
        {
            self.Send(packet);
            return packet.Length % 3 != 0;
        };
        for (var round = 0; round < 80; round++)
        {
            var (client, handler) = await ConnectAsync(smallBuffers: true);
            await client.SendBytesAsync(Frames(client, [.. Enumerable.Range(0, random.Next(10)).Select(_ => Bytes(random, random.Next(2000)))])).Soon();
            var (choice, spins, sizes) = (random.Next(6), random.Next(3000), Enumerable.Range(0, 10).Select(_ => random.Next(5000)).ToArray());
            var end = Task.Run(async () =>
            {
                Thread.SpinWait(spins);
                switch (choice)
                {
                    case 0:
                        client.Cut();
                        break;
                    case 1:
                        await client.DisposeAsync();
                        break;
                    case 2:
                        handler.Connection.Close(ImCloseCode.Idle, "test");
                        break;
                    case 3:
                        handler.Connection.Close(ImCloseCode.Idle, "test");
                        client.Cut();
                        break;
                    case 4:
                        handler.Connection.ResumeReading();
                        client.Cut();
                        break;
                    default:
                        break; // left to the transport's stop
                }
            });
            foreach (var size in sizes)
            {
                handler.Send(new byte[size]);
            }

            await end.Soon();
            if (choice != 5)
            {
                // A paused connection need not notice that its client is gone before it is read again.
                await UntilAsync(
                    () =>
                    {
                        handler.Connection.ResumeReading();
                        return handler.Disconnection.IsCompleted;
                    },
                    $"the end of a connection after {choice} in round {round}");
                await client.DisposeAsync();
            }
        }
    }
}
