using Im.Diagnostics;
using Im.IntegrationTests.Support;
using Im.Protocol;

namespace Im.IntegrationTests.Drain;

/// <summary>A host that stops finishes what it has taken, tells every client when to come back, and then closes.</summary>
public sealed class DrainTests
{
    private static readonly TimeSpan Spread = TimeSpan.FromMilliseconds(400);

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.WebSocket)]
    [InlineData(Wire.Json)]
    public async Task WhatIsInFlightIsAckedBeforeTheCloseThatSaysWhenToReconnect(Wire wire)
    {
        await using var server = await TestServer.StartAsync(options => options.ReconnectSpread = Spread);
        await using var sender = await server.SignInAsync(wire, "alice");
        await using var newcomer = await server.ConnectAsync(wire);
        await using var idle = await server.SignInAsync(wire, "idle");
        using var gate = new Gate(server.Checkpoints, Checkpoint.BeforeAppend);
        for (var i = 0; i < 20; i++)
        {
            await sender.WriteAsync(new ClientPacket
            {
                Send = new Send { ClientMessageId = $"m{i}", UserId = "bob", Content = new Content { ContentType = "text", Text = "hello" } },
            });
        }

        // One is being committed, the others wait behind it; the pong says that all were taken.
        await gate.ReachedAsync();
        await sender.PingAsync();
        var stopping = server.StopAsync();
        await Wait.ForAsync(() => server.Connections.IsStopping, "the drain to begin");
        gate.Release();

        var (acks, close) = await sender.ReadToCloseAsync(ImCloseCode.Shutdown);
        Assert.Equal(
            Enumerable.Range(0, 20).Select(i => $"m{i}"),
            acks.Where(packet => packet.SendAck is not null).Select(packet => packet.SendAck.ClientMessageId));
        Assert.InRange(close.ReconnectAfterMs, 0, Spread.TotalMilliseconds);
        foreach (var other in new[] { newcomer, idle })
        {
            Assert.InRange((await other.ReadToCloseAsync(ImCloseCode.Shutdown)).Close.ReconnectAfterMs, 0, Spread.TotalMilliseconds);
        }

        await stopping;
        Assert.Equal(0, server.Connections.Count);
        Assert.Empty(server.Logs.Errors);
    }

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.WebSocket)]
    public async Task ClientsAreSpreadOverTheTime(Wire wire)
    {
        await using var server = await TestServer.StartAsync(options => options.ReconnectSpread = Spread);
        var clients = new List<IWireClient>();
        for (var i = 0; i < 12; i++)
        {
            clients.Add(await server.SignInAsync(wire, $"u{i}"));
        }

        var stopping = server.StopAsync();
        var delays = new HashSet<int>();
        foreach (var client in clients)
        {
            delays.Add((await client.ReadToCloseAsync(ImCloseCode.Shutdown)).Close.ReconnectAfterMs);
        }

        await stopping;
        Assert.True(delays.Count > 4, $"Only {delays.Count} different delays.");
    }

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.WebSocket)]
    public async Task AClientThatDoesNotReadCannotHoldTheHostUp(Wire wire)
    {
        await using var server = await TestServer.StartAsync(options => options.DrainTimeout = TimeSpan.FromMilliseconds(300));
        await using var deaf = await server.SignInAsync(wire, "deaf", receiveBufferBytes: 4096);
        for (var i = 0; i < 64; i++)
        {
            await server.Im.Messages.SendAsync(new Model.OutgoingMessage
            {
                SenderId = "$test", ToUserId = "deaf", Content = Model.MessageContent.FromText(new string('x', 32 * 1024)),
            });
        }

        // The patience of the close itself, of the transports, is longer.
        await server.StopAsync().InTimeAsync();
        Assert.Equal(0, server.Connections.Count);
    }
}
