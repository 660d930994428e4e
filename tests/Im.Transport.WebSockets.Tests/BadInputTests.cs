using System.Net.WebSockets;
using Im.Protocol;

namespace Im.Transport.WebSockets.Tests;

public sealed class BadInputTests
{
    [Theory]
    [InlineData(LiveServer.Json)]
    [InlineData(LiveServer.Protobuf)]
    public async Task AMessageOverTheLimitIsFrameTooLarge(string subprotocol)
    {
        await using var server = await StartAsync(handler => handler.MaxPacketBytes = 10);
        var (client, handler) = await server.ConnectBothAsync(subprotocol);
        var type = subprotocol == LiveServer.Json ? WebSocketMessageType.Text : WebSocketMessageType.Binary;
        await client.SendAsync("0123456789"u8.ToArray(), type, true, default).InTime();
        await client.SendAsync("01234"u8.ToArray(), type, false, default).InTime();
        await client.SendAsync("567890"u8.ToArray(), type, false, default).InTime();
        Assert.Equal("0123456789"u8.ToArray(), await handler.NextAsync());
        Assert.Equal(ImCloseCode.FrameTooLarge, (await handler.Failure).Code);
        await AssertClosedAsync(client, handler, ImCloseCode.FrameTooLarge);
    }

    [Theory]
    [InlineData(LiveServer.Json, WebSocketMessageType.Binary)]
    [InlineData(LiveServer.Protobuf, WebSocketMessageType.Text)]
    public async Task TheOtherMessageTypeIsABadPacket(string subprotocol, WebSocketMessageType type)
    {
        await using var server = await StartAsync();
        var (client, handler) = await server.ConnectBothAsync(subprotocol);
        await client.SendAsync("{}"u8.ToArray(), type, true, default).InTime();
        var (code, reason) = await handler.Failure;
        Assert.Equal(ImCloseCode.BadPacket, code);
        Assert.Contains(subprotocol, reason, StringComparison.Ordinal);
        await AssertClosedAsync(client, handler, ImCloseCode.BadPacket);
    }

    public static TheoryData<string, byte[]> BrokenTexts => new()
    {
        { "a byte that never occurs", [0x7B, 0xFF, 0x7D] },
        { "a character cut off at the end", [0x7B, 0xE2, 0x82] },
        { "an overlong form", [0xC0, 0x80] },
        { "half of a surrogate pair", [0xED, 0xA0, 0x80] },
    };

    [Theory]
    [MemberData(nameof(BrokenTexts))]
    public async Task TextThatIsNotUtf8IsABadPacketLikeAnyOther(string what, byte[] text)
    {
        await using var server = await StartAsync();
        using var raw = await RawClient.ConnectAsync(server, LiveServer.Json);
        var handler = await server.Core.NextAsync();
        await raw.SendAsync(RawClient.Frame(0x81, text));
        Assert.Equal((ImCloseCode.BadPacket, "A text message is not valid UTF-8."), await handler.Failure);
        Assert.Equal("last", await raw.ReceiveTextAsync());
        Assert.True((int)ImCloseCode.BadPacket == await raw.ReceiveCloseAsync(), what);
        await raw.SendAsync(RawClient.Frame(0x88, [0x0D, 0xAD]));
        await raw.ReceiveEndAsync();
        await handler.Disconnection;
    }

    public static TheoryData<string, byte[]> BrokenFrames => new()
    {
        { "not masked", [0x81, 0x04, 0x20, 0x20, 0x20, 0x20] },
        { "reserved bit", RawClient.Frame(0xC1, [0x20]) },
        { "unknown opcode", RawClient.Frame(0x83, [0x20]) },
        { "continuation of nothing", RawClient.Frame(0x80, [0x20]) },
        { "ping in pieces", RawClient.Frame(0x09, [0x20]) },
        { "ping too long", RawClient.Frame(0x89, new byte[126]) },
        { "close with one byte", RawClient.Frame(0x88, [0x03]) },
        { "close with a code that nobody may send", RawClient.Frame(0x88, [0x03, 0xED]) },
        { "negative length", [0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0] },
    };

    [Theory]
    [MemberData(nameof(BrokenFrames))]
    public async Task AMalformedFrameIsABadPacketLikeAnyOther(string what, byte[] frame)
    {
        await using var server = await StartAsync();
        using var raw = await RawClient.ConnectAsync(server, LiveServer.Json);
        var handler = await server.Core.NextAsync();
        await raw.SendAsync(frame);
        Assert.Equal((ImCloseCode.BadPacket, "A WebSocket frame is malformed."), await handler.Failure);
        Assert.Equal("last", await raw.ReceiveTextAsync());
        Assert.True((int)ImCloseCode.BadPacket == await raw.ReceiveCloseAsync(), what);
        await raw.SendAsync(RawClient.Frame(0x88, [0x0D, 0xAD]));
        await handler.Disconnection;
    }

    [Fact]
    public async Task NothingIsReceivedAfterBadInput()
    {
        await using var server = await StartAsync();
        using var raw = await RawClient.ConnectAsync(server, LiveServer.Json);
        var handler = await server.Core.NextAsync();
        await raw.SendAsync([.. RawClient.Frame(0x82, [1]), .. RawClient.Frame(0x81, "{}"u8), .. RawClient.Frame(0x82, [1])]);
        await handler.Failure;
        Assert.Equal("last", await raw.ReceiveTextAsync());
        Assert.Equal((int)ImCloseCode.BadPacket, await raw.ReceiveCloseAsync());
        await raw.SendAsync(RawClient.Frame(0x88, []));
        await handler.Disconnection;
        Assert.False(handler.TryNext(out _));
    }

    private static async Task<LiveServer> StartAsync(Action<FakeHandler>? configure = null)
    {
        var server = await LiveServer.StartAsync();
        server.Core.Configure = handler =>
        {
            handler.LastPacket = "last"u8.ToArray();
            configure?.Invoke(handler);
        };
        return server;
    }

    private static async Task AssertClosedAsync(ClientWebSocket client, FakeHandler handler, ImCloseCode code)
    {
        Assert.Equal("last", await client.ReceiveTextAsync());
        Assert.Equal((int)code, (await client.ReceiveCloseAsync()).Code);
        Assert.Null(await handler.Disconnection);
        client.Dispose();
    }
}
