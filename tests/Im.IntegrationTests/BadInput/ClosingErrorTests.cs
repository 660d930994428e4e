using System.Text;
using Im.IntegrationTests.Support;
using Im.Protocol;

namespace Im.IntegrationTests.BadInput;

/// <summary>Input after which a connection makes no sense any more: an error that says what was wrong, and the documented close code.</summary>
public sealed class ClosingErrorTests(BadInputFixture fixture) : IClassFixture<BadInputFixture>
{
    private static readonly string TooLong = new('x', 65);

    // What comes first on a connection, and how it ends.
    private static readonly Dictionary<string, (ClientPacket Packet, ImErrorCode Code, ImCloseCode Close)> FirstPackets = new()
    {
        ["ping"] = NotSignedIn(new ClientPacket { Ping = new Ping() }),
        ["send"] = NotSignedIn(new ClientPacket { Send = new Send { ClientMessageId = "m", UserId = "bystander" } }),
        ["sync"] = NotSignedIn(new ClientPacket { Sync = new Protocol.Sync { Inbox = new SyncInbox() } }),
        ["device ack"] = NotSignedIn(new ClientPacket { DeviceAck = new DeviceAck { InboxSeq = 1 } }),
        ["read mark"] = NotSignedIn(new ClientPacket { MarkRead = new MarkRead { ConversationId = "g:others" } }),
        ["refresh"] = NotSignedIn(new ClientPacket { RefreshToken = new RefreshToken { Token = "bystander" } }),
        ["nothing"] = NotSignedIn(new ClientPacket()),

        ["wrong token"] = (SignIn(request => request.Token = "bad"), ImErrorCode.BadToken, ImCloseCode.BadToken),
        ["no token"] = (SignIn(request => request.Token = ""), ImErrorCode.BadToken, ImCloseCode.BadToken),
        ["expired token"] = (SignIn(request => request.Token = "expired"), ImErrorCode.TokenExpired, ImCloseCode.TokenExpired),

        ["no device id"] = BadSignIn(request => request.DeviceId = ""),
        ["device id too long"] = BadSignIn(request => request.DeviceId = TooLong),
        ["device id with a control character"] = BadSignIn(request => request.DeviceId = "a\u007f"),
        ["device field too long"] = BadSignIn(request => request.Device = new DeviceInfo { Model = new string('x', 129) }),
        ["negative inbox cursor"] = BadSignIn(request => request.InboxCursor = -1),
        ["negative conversation cursor"] = BadSignIn(request => request.ConversationCursors.Add(Cursor("g:others", -1))),
        ["a conversation twice"] = BadSignIn(request => request.ConversationCursors.AddRange([Cursor("g:others", 1), Cursor("g:others", 2)])),
        ["a cursor of no conversation"] = BadSignIn(request => request.ConversationCursors.Add(Cursor("", 1))),
        ["a cursor of a conversation id that is too long"] = BadSignIn(request => request.ConversationCursors.Add(Cursor(new string('x', 161), 1))),
    };

    // Bytes that are no packet; the same mistake in both codecs.
    private static readonly Dictionary<string, (byte[] Protobuf, string Json)> NoPackets = new()
    {
        ["garbage"] = ([0xDE, 0xAD, 0xBE, 0xEF], "%&/()"),
        ["a truncated packet"] = ([0x62, 0x05, 0x0A], "{\"ping\":{"),
        ["a wrong type"] = ([0x60, 0x01], "{\"ping\":1}"),
        ["invalid UTF-8"] = ([0x6A, 0x04, 0x0A, 0x02, 0xC3, 0x28], "{\"send\":{\"clientMessageId\":\"\u00c3\u0028\"}}"),
    };

    public static TheoryData<Wire, string> EveryFirstPacket() => OnAllWires(FirstPackets.Keys);

    public static TheoryData<Wire, string> EveryNoPacket() => OnAllWires(NoPackets.Keys);

    [Theory]
    [MemberData(nameof(EveryFirstPacket))]
    public async Task AWrongFirstPacketEndsTheConnectionWithItsCode(Wire wire, string row)
    {
        var (packet, code, closeCode) = FirstPackets[row];
        await AssertEndsAsync(wire, await fixture.Server.ConnectAsync(wire), code, closeCode, async client => await client.WriteAsync(packet.Clone()));
    }

    [Theory]
    [MemberData(nameof(EveryNoPacket))]
    public async Task BytesThatAreNoPacketEndTheConnectionBeforeAndAfterSignIn(Wire wire, string row)
    {
        var (protobuf, json) = NoPackets[row];
        var bytes = wire == Wire.Json ? Encoding.Latin1.GetBytes(json) : protobuf;
        foreach (var client in new[] { await fixture.Server.ConnectAsync(wire), await fixture.Server.SignInAsync(wire, fixture.NewUser()) })
        {
            var bad = fixture.Server.Metrics["im.packets.received bad"];
            await AssertEndsAsync(wire, client, ImErrorCode.BadPacket, ImCloseCode.BadPacket, writer => writer.WritePacketAsync(bytes));
            Assert.Equal(bad + 1, fixture.Server.Metrics["im.packets.received bad"]);
        }
    }

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.WebSocket)]
    [InlineData(Wire.Json)]
    public async Task AFrameOverTheLimitEndsTheConnectionAndTheLimitIsSmallerBeforeSignIn(Wire wire)
    {
        // As a new client may not, and a signed-in one may.
        var between = new string('x', 40 * 1024);
        await AssertEndsAsync(
            wire,
            await fixture.Server.ConnectAsync(wire),
            ImErrorCode.FrameTooLarge,
            ImCloseCode.FrameTooLarge,
            async writer => await writer.WriteAsync(new ClientPacket { SignIn = new SignIn { Token = between, DeviceId = "d" } }));

        var user = fixture.NewUser();
        var client = await fixture.Server.SignInAsync(wire, user);
        var send = new Send { ClientMessageId = "m", UserId = user, Content = new Content { ContentType = "text", Text = between } };
        Assert.NotNull((await client.AskAsync(new ClientPacket { Send = send })).SendAck);
        await AssertEndsAsync(
            wire, client, ImErrorCode.FrameTooLarge, ImCloseCode.FrameTooLarge, writer => writer.WritePacketAsync(new byte[129 * 1024]));
    }

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.WebSocket)]
    [InlineData(Wire.Json)]
    public async Task ALengthAloneIsEnoughToRefuseAFrameThatIsTooLarge(Wire wire)
    {
        // Nothing follows the length: a server that waits for the rest, or makes room for it, does not answer.
        var header = wire switch
        {
            Wire.Tcp => new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0x07 },
            Wire.WebSocket => WebSocketWireClient.Header(0x82, int.MaxValue),
            _ => WebSocketWireClient.Header(0x81, int.MaxValue),
        };
        await AssertEndsAsync(
            wire,
            await fixture.Server.ConnectAsync(wire),
            ImErrorCode.FrameTooLarge,
            ImCloseCode.FrameTooLarge,
            async writer =>
            {
                await writer.WriteBytesAsync(header);
                if (wire != Wire.Tcp)
                {
                    // A WebSocket's frame header says nothing until its first bytes come; the limit is met long before the length is.
                    await writer.WriteBytesAsync(new byte[33 * 1024]);
                }
            });
    }

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.WebSocket)]
    [InlineData(Wire.Json)]
    public async Task ANegativeLengthEndsTheConnection(Wire wire)
    {
        // −1 as a varint of 32 bits; the highest bit of a WebSocket's 64-bit length.
        var header = wire switch
        {
            Wire.Tcp => new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0x0F },
            Wire.WebSocket => WebSocketWireClient.Header(0x82, -1),
            _ => WebSocketWireClient.Header(0x81, -1),
        };

        // In a WebSocket it is the framing of the WebSocket that is broken, so no packet was too large.
        var (code, closeCode) = wire == Wire.Tcp
            ? (ImErrorCode.FrameTooLarge, ImCloseCode.FrameTooLarge)
            : (ImErrorCode.BadPacket, ImCloseCode.BadPacket);
        await AssertEndsAsync(wire, await fixture.Server.ConnectAsync(wire), code, closeCode, writer => writer.WriteBytesAsync(header));
    }

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.WebSocket)]
    [InlineData(Wire.Json)]
    public async Task ACursorBeyondTheHeadOfTheSameGenerationIsAnErrorAndOfAnotherOneAReset(Wire wire)
    {
        var user = fixture.NewUser();
        string generation;
        await using (var client = await fixture.Server.ConnectAsync(wire))
        {
            generation = (await client.AskAsync(new ClientPacket { SignIn = new SignIn { Token = user, DeviceId = "d" } })).SignedIn.Generation;
        }

        await AssertEndsAsync(
            wire,
            await fixture.Server.ConnectAsync(wire),
            ImErrorCode.CursorBeyondHead,
            ImCloseCode.BadCursor,
            async writer => await writer.WriteAsync(
                new ClientPacket { SignIn = new SignIn { Token = user, DeviceId = "d", Generation = generation, InboxCursor = 1 } }));

        await using var other = await fixture.Server.ConnectAsync(wire);
        var reset = await other.AskAsync(new ClientPacket { SignIn = new SignIn { Token = user, DeviceId = "d", Generation = "other", InboxCursor = 1 } });
        Assert.True(reset.SignedIn.Reset);
    }

    private async Task AssertEndsAsync(Wire wire, IWireClient client, ImErrorCode code, ImCloseCode closeCode, Func<IWireClient, Task> write)
    {
        await using var owned = client;
        var transport = wire == Wire.Tcp ? "tcp" : "websocket";
        var errorCounter = $"im.errors {ImErrorCodes.GetName(code)}";
        var closeCounter = $"im.connections.closed {transport} {ImErrorCodes.GetName(closeCode)}";
        var errors = fixture.Server.Metrics[errorCounter];
        var closes = fixture.Server.Metrics[closeCounter];

        await write(client);

        var (before, _) = await client.ReadToCloseAsync(closeCode);
        var error = before[^1].Error;
        Assert.Equal(code, (ImErrorCode)error.Code);
        Assert.Equal(ImErrorCodes.GetName(code), error.Reason);
        Assert.NotEmpty(error.Message);
        Assert.Equal(errors + 1, fixture.Server.Metrics[errorCounter]);
        await client.DisposeAsync();
        await Wait.ForAsync(() => fixture.Server.Metrics[closeCounter] == closes + 1, $"{closeCounter} to be counted");
        await fixture.AssertUndisturbedAsync();
    }

    private static TheoryData<Wire, string> OnAllWires(IEnumerable<string> rows)
    {
        var data = new TheoryData<Wire, string>();
        foreach (var row in rows)
        {
            foreach (var wire in Enum.GetValues<Wire>())
            {
                data.Add(wire, row);
            }
        }

        return data;
    }

    private static (ClientPacket, ImErrorCode, ImCloseCode) NotSignedIn(ClientPacket packet) => (packet, ImErrorCode.NotSignedIn, ImCloseCode.NotSignedIn);

    private static (ClientPacket, ImErrorCode, ImCloseCode) BadSignIn(Action<SignIn> change) =>
        (SignIn(change), ImErrorCode.InvalidArgument, ImCloseCode.BadSignIn);

    private static ClientPacket SignIn(Action<SignIn> change)
    {
        var request = new SignIn { Token = "somebody", DeviceId = "d1" };
        change(request);
        return new ClientPacket { SignIn = request };
    }

    private static ConversationCursor Cursor(string conversation, long seq) => new() { ConversationId = conversation, ConversationSeq = seq };
}
