using Im.Connections;
using Im.Protocol;
using Xunit.Abstractions;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="IImTransport"/>: what every transport does with bytes, packets, slow readers and ends of connections.</summary>
/// <remarks>
/// After each fact the transport is stopped: every handler must have been told once, and last, that its connection is gone, no call may have run
/// beside or after another against the rules, and no buffer may be left over.
/// </remarks>
public abstract partial class TransportSpecification(ITestOutputHelper output) : IAsyncLifetime
{
    private readonly SpecCore _core = new();
    private ITransportServer _server = null!;

    /// <summary>How long the transport may take to write the last packets of a closed connection: short, since facts wait for it.</summary>
    protected static TimeSpan CloseTimeout { get; } = TimeSpan.FromMilliseconds(300);

    /// <inheritdoc/>
    public async Task InitializeAsync() => _server = await StartAsync(_core).Soon();

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        await _server.Transport.StopAcceptingAsync(CancellationToken.None).Soon();
        await _server.Transport.StopAsync(CancellationToken.None).Soon();
        await Task.WhenAll(_core.Handlers.Select(handler => handler.Disconnection)).Soon();
        var rented = _server.RentedBuffers ?? 0;
        await _server.DisposeAsync().Soon();
        Assert.Empty(_core.Handlers.SelectMany(handler => handler.BrokenRules));
        Assert.Equal(0, rented);
    }

    /// <summary>Starts the transport with <see cref="CloseTimeout"/>, on a free port or in memory.</summary>
    protected abstract Task<ITransportServer> StartAsync(IConnectionAcceptor acceptor);

    /// <summary>The core knows where a connection comes from and how to write to it.</summary>
    [Fact]
    public virtual async Task AConnectionTellsItsTransport()
    {
        var (client, handler) = await ConnectAsync();
        await using var _ = client;
        Assert.Equal(_server.Transport.Name, handler.Connection.Transport);
        Assert.NotEmpty(_server.Transport.Name);
        Assert.True(Enum.IsDefined(handler.Connection.Codec));
        Assert.NotNull(handler.Connection.RemoteAddress);
    }

    /// <summary>Trap 13: wherever the network cuts the stream, the packets are the same.</summary>
    [Fact]
    public virtual async Task EverySplitOfAStreamOfPacketsGivesTheSamePackets()
    {
        _core.Prepare = handler => handler.OnReceive = SpecHandler.Echo;
        byte[][] packets = [[1, 2, 3], [], [.. Enumerable.Repeat((byte)7, 130)], [9]];
        await using var client = await ClientAsync();
        var stream = Frames(client, packets);
        for (var cut = 0; cut <= stream.Length; cut++)
        {
            await client.SendBytesAsync(stream.AsMemory(0, cut)).Soon();
            await client.SendBytesAsync(stream.AsMemory(cut)).Soon();
            foreach (var packet in packets)
            {
                Assert.Equal(packet, await client.ReceiveAsync().Soon());
            }
        }
    }

    /// <summary>Trap 13: the slowest network is a network.</summary>
    [Fact]
    public virtual async Task PacketsThatComeByteByByteAreReadLikeAnyOther()
    {
        _core.Prepare = handler => handler.OnReceive = SpecHandler.Echo;
        byte[][] packets = [[1, 2, 3], [.. Enumerable.Repeat((byte)7, 300)], []];
        await using var client = await ClientAsync();
        foreach (var next in Frames(client, packets))
        {
            await client.SendBytesAsync(new[] { next }).Soon();
        }

        foreach (var packet in packets)
        {
            Assert.Equal(packet, await client.ReceiveAsync().Soon());
        }
    }

    /// <summary>Packets come in order and unchanged, whatever their sizes and the network's pieces are.</summary>
    [Fact]
    public virtual async Task PacketsOfManySizesInRandomPiecesComeBackInOrder()
    {
        int[] sizes = [0, 1, 125, 126, 127, 128, 1023, 1024, 1027, 1028, 4093, 4096, 16384, 65535, 65536];
        var random = new Random(TestSeed.Next(output));
        _core.Prepare = handler => handler.OnReceive = SpecHandler.Echo;
        await using var client = await ClientAsync();
        var packets = Enumerable.Range(0, 300).Select(_ => Bytes(random, sizes[random.Next(sizes.Length)])).ToArray();
        var stream = Frames(client, packets);
        var sending = Task.Run(async () =>
        {
            for (var sent = 0; sent < stream.Length;)
            {
                var piece = Math.Min(random.Next(1, 20_000), stream.Length - sent);
                await client.SendBytesAsync(stream.AsMemory(sent, piece));
                sent += piece;
            }
        });
        foreach (var packet in packets)
        {
            Assert.Equal(packet, await client.ReceiveAsync().Soon());
        }

        await sending.Soon();
    }

    /// <summary>A packet may be larger than any buffer.</summary>
    [Fact]
    public virtual async Task APacketOfMegabytesComesBackWhole()
    {
        const int Size = 8 * 1024 * 1024;
        _core.Prepare = handler =>
        {
            handler.MaxPacketBytes = Size;
            handler.OnReceive = SpecHandler.Echo;
        };
        await using var client = await ClientAsync();
        var packet = Bytes(new Random(1), Size);
        var sending = client.SendBytesAsync(client.Frame(packet));
        var received = await client.ReceiveAsync().Soon();
        Assert.True(packet.AsSpan().SequenceEqual(received));
        await sending.Soon();
    }

    /// <summary>Trap 13: a packet over the limit ends its connection with a reason, is not buffered, and disturbs nobody.</summary>
    [Fact]
    public virtual async Task APacketOverTheLimitIsRefusedWithAReasonAndDisturbsNobody()
    {
        _core.Prepare = handler =>
        {
            handler.MaxPacketBytes = 1000;
            handler.OnReceive = SpecHandler.Echo;
        };
        await using var other = await ClientAsync();
        await _core.NextAsync();
        var (client, handler) = await ConnectAsync();
        await using (client)
        {
            await client.SendBytesAsync(Frames(client, new byte[1000], new byte[1001])).Soon();
            Assert.Equal(1000, (await client.ReceiveAsync().Soon())!.Length);
            Assert.Equal(ImCloseCode.FrameTooLarge, (await handler.Failure.Soon()).Code);
            Assert.Equal("closed: FrameTooLarge"u8.ToArray(), await client.ReceiveAsync().Soon());
            Assert.Null(await client.ReceiveAsync().Soon());
            CheckCode(client, ImCloseCode.FrameTooLarge);
        }

        await handler.Disconnection.Soon();
        await EchoAsync(other);
    }

    /// <summary>The limit rises with the sign-in, for the very next packet.</summary>
    [Fact]
    public virtual async Task TheLimitMayRiseBetweenTwoPackets()
    {
        _core.Prepare = handler =>
        {
            handler.MaxPacketBytes = 10;
            handler.OnReceive = (self, packet) =>
            {
                self.MaxPacketBytes = 100;
                return SpecHandler.Echo(self, packet);
            };
        };
        await using var client = await ClientAsync();
        await client.SendBytesAsync(Frames(client, [1], new byte[100])).Soon();
        Assert.Equal([1], await client.ReceiveAsync().Soon());
        Assert.Equal(new byte[100], await client.ReceiveAsync().Soon());
    }

    /// <summary>Half a packet is none, whoever cut it off.</summary>
    [Fact]
    public virtual async Task AClientThatIsCutOffInsideAFrameHasSentNothing()
    {
        foreach (var bytes in new[] { 0, 1, 7 })
        {
            var (client, handler) = await ConnectAsync();
            await client.SendBytesAsync(client.Frame(new byte[10]).AsMemory(0, bytes)).Soon();
            client.Cut();
            await handler.Disconnection.Soon();
            Assert.Empty(handler.Received);
            Assert.False(handler.Failure.IsCompleted);
            await client.DisposeAsync();
        }
    }

    private static byte[] Frames(ITransportClient client, params byte[][] packets) => [.. packets.SelectMany(packet => client.Frame(packet))];

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private Task<ITransportClient> ClientAsync(bool smallBuffers = false) => _server.ConnectAsync(smallBuffers).Soon();

    private async Task<(ITransportClient Client, SpecHandler Handler)> ConnectAsync(bool smallBuffers = false)
    {
        var client = await ClientAsync(smallBuffers);
        return (client, await _core.NextAsync());
    }

    private static async Task EchoAsync(ITransportClient client)
    {
        await client.SendBytesAsync(client.Frame([1, 2, 3])).Soon();
        Assert.Equal([1, 2, 3], await client.ReceiveAsync().Soon());
    }

    private void CheckCode(ITransportClient client, ImCloseCode code) =>
        Assert.Equal(_server.HasCloseCodes ? (int)code : null, client.CloseCode);

    /// <summary>Polls until the condition holds.</summary>
    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        using var deadline = new CancellationTokenSource(TimeLimit.Default);
        while (!condition())
        {
            Assert.False(deadline.IsCancellationRequested, $"Never came true: {what}");
            await Task.Delay(5);
        }
    }

    /// <summary>Waits until a value has not changed for a while, to see that nothing goes on.</summary>
    private static async Task UntilStillAsync(Func<long> value)
    {
        for (var (last, same) = (value(), 0); same < 20; same++)
        {
            await Task.Delay(10);
            if (value() is var now && now != last)
            {
                (last, same) = (now, 0);
            }
        }
    }
}
