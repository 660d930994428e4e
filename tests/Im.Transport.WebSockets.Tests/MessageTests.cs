using System.Text;

namespace Im.Transport.WebSockets.Tests;

public sealed class MessageTests
{
    private static readonly Func<FakeHandler, byte[], bool> Echo = static (handler, packet) =>
    {
        handler.Send(packet);
        return true;
    };

    [Fact]
    public async Task AJsonPacketIsOneTextMessageEachWay()
    {
        await using var server = await LiveServer.StartAsync();
        server.Core.Configure = handler => handler.OnPacket = Echo;
        using var client = await server.ConnectAsync(LiveServer.Json);
        await client.SendTextAsync("{\"ping\":{}} ü");
        var buffer = new byte[100];
        var part = await client.ReceiveAsync(buffer, default).InTime();
        Assert.Equal(System.Net.WebSockets.WebSocketMessageType.Text, part.MessageType);
        Assert.Equal("{\"ping\":{}} ü", Encoding.UTF8.GetString(buffer, 0, part.Count));
    }

    [Fact]
    public async Task AProtobufPacketIsOneBinaryMessageEachWay()
    {
        await using var server = await LiveServer.StartAsync();
        server.Core.Configure = handler => handler.OnPacket = Echo;
        using var client = await server.ConnectAsync(LiveServer.Protobuf);
        await client.SendBinaryAsync([1, 2, 0xFF]);
        var buffer = new byte[100];
        var part = await client.ReceiveAsync(buffer, default).InTime();
        Assert.Equal(System.Net.WebSockets.WebSocketMessageType.Binary, part.MessageType);
        Assert.Equal([1, 2, 0xFF], buffer[..part.Count]);
    }

    [Fact]
    public async Task AnEmptyMessageIsAnEmptyPacket()
    {
        await using var server = await LiveServer.StartAsync();
        var (client, handler) = await server.ConnectBothAsync();
        await client.SendTextAsync("");
        await client.SendTextAsync("", end: false);
        await client.SendTextAsync("");
        await client.SendTextAsync("x");
        Assert.Empty(await handler.NextAsync());
        Assert.Empty(await handler.NextAsync());
        Assert.Equal("x", Encoding.UTF8.GetString(await handler.NextAsync()));
        client.Dispose();
    }

    [Fact]
    public async Task FragmentsAreOnePacketWhereverTheyAreCut()
    {
        await using var server = await LiveServer.StartAsync();
        var (client, handler) = await server.ConnectBothAsync();
        const string text = "{\"a\":\"üñ€😀\"}";
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            await client.SendAsync(bytes.AsMemory(0, cut), System.Net.WebSockets.WebSocketMessageType.Text, false, default);
            await client.SendAsync(bytes.AsMemory(cut), System.Net.WebSockets.WebSocketMessageType.Text, true, default);
            Assert.Equal(text, Encoding.UTF8.GetString(await handler.NextAsync()));
        }

        client.Dispose();
    }

    [Theory]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(3_000_000)]
    public async Task LargePacketsPassUnchanged(int bytes)
    {
        await using var server = await LiveServer.StartAsync();
        server.Core.Configure = handler =>
        {
            handler.MaxPacketBytes = bytes;
            handler.OnPacket = (self, packet) =>
            {
                // Long enough to be sent from where it is, behind a few bytes of the connection's own.
                self.Send(packet.AsMemory(0, 7), packet.AsMemory(7));
                return true;
            };
        };
        using var client = await server.ConnectAsync(LiveServer.Protobuf);
        var packet = new byte[bytes];
        new Random(bytes).NextBytes(packet);
        await client.SendBinaryAsync(packet);
        Assert.Equal(packet, await client.ReceiveMessageAsync());
    }

    [Fact]
    public async Task ManyPacketsArriveInOrderAndInFewWrites()
    {
        await using var server = await LiveServer.StartAsync();
        var (client, handler) = await server.ConnectBothAsync();
        const int count = 5000;
        for (var i = 0; i < count; i++)
        {
            handler.Enqueue(Encoding.UTF8.GetBytes($"own {i} "), Encoding.UTF8.GetBytes("shared"));
        }

        handler.Connection.RequestWrite();
        for (var i = 0; i < count; i++)
        {
            Assert.Equal($"own {i} shared", await client.ReceiveTextAsync());
        }

        Assert.InRange(handler.WriteCalls, 1, 20);
        client.Dispose();
    }

    [Fact]
    public async Task PacketsQueuedBeforeTheAcceptReturnsAreWritten()
    {
        await using var server = await LiveServer.StartAsync();
        server.Core.Configure = handler => handler.Send("hello"u8.ToArray());
        using var client = await server.ConnectAsync();
        Assert.Equal("hello", await client.ReceiveTextAsync());
    }

    [Fact]
    public async Task PacketsSentFromManyThreadsAllArrive()
    {
        await using var server = await LiveServer.StartAsync();
        var (client, handler) = await server.ConnectBothAsync();
        const int threads = 4;
        const int each = 2000;
        var senders = Enumerable.Range(0, threads).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < each; i++)
            {
                handler.Send(Encoding.UTF8.GetBytes($"{thread}:{i}"));
            }
        })).ToArray();
        var seen = new HashSet<string?>();
        for (var i = 0; i < threads * each; i++)
        {
            Assert.True(seen.Add(await client.ReceiveTextAsync()));
        }

        await Task.WhenAll(senders).InTime();
        client.Dispose();
    }
}
