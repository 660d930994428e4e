using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using Im.Protocol;

namespace Im.Transport.WebSockets.Tests;

public sealed class CloseTests
{
    [Fact]
    public async Task TheClientSeesTheServersCodeAndReasonAfterTheLastPacket()
    {
        await using var server = await LiveServer.StartAsync();
        var (client, handler) = await server.ConnectBothAsync();
        for (var i = 0; i < 1000; i++)
        {
            handler.Enqueue(Encoding.UTF8.GetBytes($"packet {i}"));
        }

        handler.Connection.Close(ImCloseCode.Replaced, "signed in elsewhere");
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal($"packet {i}", await client.ReceiveTextAsync());
        }

        Assert.Equal(((int)ImCloseCode.Replaced, "signed in elsewhere"), await client.ReceiveCloseAsync());
        Assert.Null(await handler.Disconnection);
        client.Dispose();
    }

    [Fact]
    public async Task TheFirstCloseCounts()
    {
        await using var server = await LiveServer.StartAsync();
        var (client, handler) = await server.ConnectBothAsync();
        handler.Connection.Close(ImCloseCode.Idle, "first");
        handler.Connection.Close(ImCloseCode.Slow, "second");
        Assert.Equal(((int)ImCloseCode.Idle, "first"), await client.ReceiveCloseAsync());
        handler.Connection.Close(ImCloseCode.Slow, "third");
        await handler.Disconnection;
        handler.Connection.Close(ImCloseCode.Slow, "after the end");
        handler.Connection.RequestWrite();
        handler.Connection.ResumeReading();
        client.Dispose();
    }

    [Fact]
    public async Task ACloseWhileAcceptingIsACloseLikeAnyOther()
    {
        await using var server = await LiveServer.StartAsync();
        server.Core.Configure = handler =>
        {
            handler.Enqueue("no"u8.ToArray());
            handler.Connection.Close(ImCloseCode.TooManyConnections, "full");
        };
        var (client, handler) = await server.ConnectBothAsync();
        Assert.Equal("no", await client.ReceiveTextAsync());
        Assert.Equal(((int)ImCloseCode.TooManyConnections, "full"), await client.ReceiveCloseAsync());
        await handler.Disconnection;
        client.Dispose();
    }

    [Theory]
    [InlineData(122)]
    [InlineData(123)]
    [InlineData(124)]
    [InlineData(500)]
    public async Task ALongReasonIsCutBetweenCharacters(int characters)
    {
        await using var server = await LiveServer.StartAsync();
        foreach (var character in (string[])["a", "ü", "€", "😀"])
        {
            var (client, handler) = await server.ConnectBothAsync();
            var reason = "x" + string.Concat(Enumerable.Repeat(character, characters));
            handler.Connection.Close((ImCloseCode)4321, reason);
            var (code, seen) = await client.ReceiveCloseAsync();
            Assert.Equal(4321, code);
            Assert.StartsWith(seen!, reason, StringComparison.Ordinal);
            Assert.InRange(Encoding.UTF8.GetByteCount(seen!), Math.Min(characters + 1, 120), 123);
            client.Dispose();
        }
    }

    [Fact]
    public async Task AClientsCloseIsAnsweredWithItsCode()
    {
        await using var server = await LiveServer.StartAsync();
        var (client, handler) = await server.ConnectBothAsync();
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", default).InTime();
        Assert.Equal(WebSocketState.Closed, client.State);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, client.CloseStatus);
        Assert.Null(await handler.Disconnection);
        client.Dispose();
    }

    [Fact]
    public async Task AClientsCloseWithoutACodeIsAnsweredAsNormal()
    {
        await using var server = await LiveServer.StartAsync();
        using var raw = await RawClient.ConnectAsync(server, LiveServer.Json);
        var handler = await server.Core.NextAsync();
        await raw.SendAsync(RawClient.Frame(0x88, []));
        Assert.Equal((int)ImCloseCode.Normal, await raw.ReceiveCloseAsync());
        await raw.ReceiveEndAsync();
        Assert.Null(await handler.Disconnection);
    }

    [Fact]
    public async Task PingsAreAnsweredUntilTheCloseFrame()
    {
        await using var server = await LiveServer.StartAsync();
        using var raw = await RawClient.ConnectAsync(server, LiveServer.Json);
        var handler = await server.Core.NextAsync();
        await raw.SendAsync(RawClient.Frame(0x89, "abc"u8));
        var (first, payload) = await raw.ReceiveFrameAsync();
        Assert.Equal(0x8A, first);
        Assert.Equal("abc"u8.ToArray(), payload);
        handler.Connection.Close(ImCloseCode.Idle, "");
        Assert.Equal((int)ImCloseCode.Idle, await raw.ReceiveCloseAsync());
        await raw.SendAsync(RawClient.Frame(0x89, "abc"u8));
        await raw.SendAsync(RawClient.Frame(0x88, []));
        await raw.ReceiveEndAsync();
        Assert.Null(await handler.Disconnection);
    }

    [Fact]
    public async Task AClientThatDoesNotAnswerTheCloseIsAbortedInTime()
    {
        await using var server = await LiveServer.StartAsync(options => options.CloseTimeout = TimeSpan.FromMilliseconds(200));
        using var raw = await RawClient.ConnectAsync(server, LiveServer.Json);
        var handler = await server.Core.NextAsync();
        var clock = Stopwatch.StartNew();
        handler.Connection.Close(ImCloseCode.Slow, "");
        Assert.Equal((int)ImCloseCode.Slow, await raw.ReceiveCloseAsync());
        await handler.Disconnection;
        Assert.InRange(clock.ElapsedMilliseconds, 150, 5000);
        await raw.ReceiveEndAsync();
    }

    [Fact]
    public async Task AClientThatDoesNotReadIsAbortedInTime()
    {
        await using var server = await LiveServer.StartAsync(options => options.CloseTimeout = TimeSpan.FromMilliseconds(200));
        using var raw = await RawClient.ConnectAsync(server, LiveServer.Json, receiveBuffer: 4096);
        var handler = await server.Core.NextAsync();
        handler.Send(new byte[20_000_000]);
        handler.Send(new byte[20_000_000]);
        await Waiting.UntilAsync(() => handler.QueuedBytes == 20_000_000, "the first packet is being written");
        handler.Connection.Close(ImCloseCode.Slow, "");
        await handler.Disconnection;
    }

    [Fact]
    public async Task AnAbortInsideAFrameIsADisconnectWithAnError()
    {
        await using var server = await LiveServer.StartAsync();
        using var raw = await RawClient.ConnectAsync(server, LiveServer.Json);
        var handler = await server.Core.NextAsync();
        await raw.SendAsync(RawClient.Frame(0x81, "{\"a\":1}"u8)[..9]);
        await Waiting.UntilAsync(() => server.Transport.Buffers.Rented == 1, "the frame is being read");
        raw.Socket.Close(0);
        Assert.NotNull(await handler.Disconnection);
        Assert.False(handler.TryNext(out _));
    }

    [Fact]
    public async Task AnUnexpectedExceptionOfTheCoreClosesThisConnectionOnly()
    {
        await using var server = await LiveServer.StartAsync();
        server.Core.Configure = handler => handler.OnPacket =
            static (_, packet) => packet.Length == 0 ? true : throw new InvalidOperationException("a mistake");
        var (client, handler) = await server.ConnectBothAsync();
        var (other, otherHandler) = await server.ConnectBothAsync();
        await client.SendTextAsync("boom");
        Assert.Equal((int)ImCloseCode.InternalError, (await client.ReceiveCloseAsync()).Code);
        await handler.Disconnection;
        await other.SendTextAsync("");
        Assert.Empty(await otherHandler.NextAsync());
        client.Dispose();
        other.Dispose();
    }

    [Fact]
    public async Task StoppingTheTransportAbortsWhatIsLeft()
    {
        await using var server = await LiveServer.StartAsync();
        var (client, handler) = await server.ConnectBothAsync();
        await server.Seam.StopAcceptingAsync(default);
        await client.SendTextAsync("still here");
        Assert.Equal("still here"u8.ToArray(), await handler.NextAsync());
        await server.Seam.StopAsync(default).AsTask().InTime();
        Assert.NotNull(await handler.Disconnection);
        await Assert.ThrowsAnyAsync<WebSocketException>(() => client.ReceiveMessageAsync());
        client.Dispose();
    }

    [Fact]
    public async Task AStoppingWebServerClosesWhatTheCoreHasLeft()
    {
        await using var server = await LiveServer.StartAsync();
        var (client, handler) = await server.ConnectBothAsync();
        var stopping = server.App.StopAsync();
        Assert.Equal((int)ImCloseCode.Shutdown, (await client.ReceiveCloseAsync()).Code);
        await stopping.InTime();
        Assert.Null(await handler.Disconnection);
        client.Dispose();
    }
}
