using Im.IntegrationTests.Support;
using Im.Protocol;

namespace Im.IntegrationTests.BadInput;

/// <summary>What a signed-in client may ask wrongly: an error with the request's id, and the connection goes on.</summary>
public sealed class RequestErrorTests(BadInputFixture fixture) : IClassFixture<BadInputFixture>
{
    private static readonly string TooLong = new('x', 65);

    // Each row: what is sent, and the documented code.
    private static readonly Dictionary<string, (ClientPacket Packet, ImErrorCode Code)> Rows = new()
    {
        ["a second sign-in"] = (new ClientPacket { SignIn = new SignIn { Token = "other", DeviceId = "d" } }, ImErrorCode.AlreadySignedIn),
        ["an empty packet"] = (new ClientPacket(), ImErrorCode.UnknownPacket),

        ["to an unknown user"] = (Send(user: "nobody"), ImErrorCode.UnknownUser),
        ["to a user id that is too long"] = (Send(user: TooLong), ImErrorCode.UnknownUser),
        ["to a user id with a control character"] = (Send(user: "a\nb"), ImErrorCode.UnknownUser),
        ["to a system sender"] = (Send(user: "$system"), ImErrorCode.UnknownUser),
        ["to an unknown group"] = (Send(conversation: "g:none"), ImErrorCode.UnknownConversation),
        ["to no conversation id at all"] = (Send(conversation: "nonsense"), ImErrorCode.UnknownConversation),
        ["to a conversation id that is too long"] = (Send(conversation: "g:" + new string('x', 159)), ImErrorCode.UnknownConversation),
        ["to somebody's own conversation"] = (Send(conversation: "o:bystander"), ImErrorCode.UnknownConversation),
        ["to another spelling of a direct conversation"] = (Send(conversation: "d:9:somebody:bystander"), ImErrorCode.UnknownConversation),
        ["to a group of others"] = (Send(conversation: "g:others"), ImErrorCode.NotAMember),
        ["to the conversation of two others"] = (Send(conversation: "d:9:bystander:somebody"), ImErrorCode.NotAMember),
        ["to a dissolved group"] = (Send(conversation: "g:dissolved"), ImErrorCode.Dissolved),
        ["to nobody"] = (Change(Send(), send => send.ClearTarget()), ImErrorCode.InvalidArgument),
        ["no client message id"] = (Change(Send(), send => send.ClientMessageId = ""), ImErrorCode.InvalidArgument),
        ["a client message id that is too long"] = (Change(Send(), send => send.ClientMessageId = TooLong), ImErrorCode.InvalidArgument),
        ["a client message id with a control character"] = (Change(Send(), send => send.ClientMessageId = "a\0b"), ImErrorCode.InvalidArgument),
        ["no content"] = (Change(Send(), send => send.Content = null), ImErrorCode.InvalidArgument),
        ["no content type"] = (Change(Send(), send => send.Content.ContentType = ""), ImErrorCode.InvalidArgument),
        ["an empty body"] = (Change(Send(), send => send.Content.Text = ""), ImErrorCode.EmptyBody),
        ["a body too large"] = (Change(Send(), send => send.Content.Text = new string('x', 64 * 1024)), ImErrorCode.BodyTooLarge),
        ["mentions too large"] = (
            Change(Send(), send => send.Content.Mentions.AddRange(Enumerable.Repeat(TooLong, 1010))), ImErrorCode.BodyTooLarge),
        ["a non-persistent message to an unknown user"] = (
            Change(Send(user: "nobody"), send => send.NonPersistent = true), ImErrorCode.UnknownUser),

        ["sync of nothing"] = (new ClientPacket { Sync = new Protocol.Sync() }, ImErrorCode.InvalidArgument),
        ["a negative page size"] = (Inbox(0, maxEntries: -1), ImErrorCode.InvalidArgument),
        ["the lowest page size"] = (Inbox(0, maxEntries: int.MinValue), ImErrorCode.InvalidArgument),
        ["a negative page size in bytes"] = (Inbox(0, maxBytes: -1), ImErrorCode.InvalidArgument),
        ["a negative inbox cursor"] = (Inbox(-1), ImErrorCode.InvalidArgument),
        ["an inbox cursor beyond the head"] = (Inbox(1_000), ImErrorCode.CursorBeyondHead),
        ["the highest inbox cursor"] = (Inbox(long.MaxValue), ImErrorCode.CursorBeyondHead),
        ["history of no conversation"] = (History(""), ImErrorCode.UnknownConversation),
        ["history of an unknown group"] = (History("g:none"), ImErrorCode.UnknownConversation),
        ["history of a group of others"] = (History("g:others"), ImErrorCode.NotAMember),
        ["history of two others"] = (History("d:9:bystander:somebody"), ImErrorCode.NotAMember),
        ["a negative history cursor"] = (History("g:others", after: -1), ImErrorCode.InvalidArgument),
        ["a negative position before"] = (History("g:others", before: -1), ImErrorCode.InvalidArgument),

        ["a negative device ack"] = (new ClientPacket { DeviceAck = new DeviceAck { InboxSeq = -1 } }, ImErrorCode.InvalidArgument),
        ["a negative device ack of a conversation"] = (Ack("g:others", -1), ImErrorCode.InvalidArgument),
        ["a device ack of no conversation"] = (Ack("", 1), ImErrorCode.InvalidArgument),
        ["a negative read mark"] = (Mark("g:others", -1), ImErrorCode.InvalidArgument),
        ["a read mark in no conversation"] = (Mark("", 1), ImErrorCode.UnknownConversation),
        ["a read mark in an unknown group"] = (Mark("g:none", 1), ImErrorCode.UnknownConversation),
        ["a read mark in a group of others"] = (Mark("g:others", 1), ImErrorCode.NotAMember),

        ["a refresh with a bad token"] = (Refresh("bad"), ImErrorCode.BadToken),
        ["a refresh with no token"] = (Refresh(""), ImErrorCode.BadToken),
        ["a refresh with an expired token"] = (Refresh("expired"), ImErrorCode.TokenExpired),
        ["a refresh with another user's token"] = (Refresh("bystander"), ImErrorCode.BadToken),
    };

    public static TheoryData<Wire, string> AllRows()
    {
        var data = new TheoryData<Wire, string>();
        foreach (var wire in Enum.GetValues<Wire>())
        {
            foreach (var row in Rows.Keys)
            {
                data.Add(wire, row);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(AllRows))]
    public async Task AWrongRequestGetsItsCodeAndTheConnectionGoesOn(Wire wire, string row)
    {
        var (packet, code) = Rows[row];
        await using var client = await fixture.Server.SignInAsync(wire, fixture.NewUser());
        var counter = $"im.errors {ImErrorCodes.GetName(code)}";
        var counted = fixture.Server.Metrics[counter];

        await client.AskForErrorAsync(packet.Clone(), code);

        Assert.Equal(counted + 1, fixture.Server.Metrics[counter]);
        await client.PingAsync();
        await fixture.AssertUndisturbedAsync();
    }

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.WebSocket)]
    [InlineData(Wire.Json)]
    public async Task APacketOfAnUnknownKindIsAnErrorAndTheConnectionGoesOn(Wire wire)
    {
        await using var client = await fixture.Server.SignInAsync(wire, fixture.NewUser());

        // Field 99, a message; and the request id 7.
        await client.WritePacketAsync(wire == Wire.Json ? "{\"requestId\":7,\"teleport\":{}}"u8.ToArray() : [0x08, 7, 0x9A, 0x06, 0]);

        var answer = await client.ReadReplyAsync(7);
        Assert.Equal((int)ImErrorCode.UnknownPacket, answer.Error.Code);
        await client.PingAsync();
        await fixture.AssertUndisturbedAsync();
    }

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.WebSocket)]
    [InlineData(Wire.Json)]
    public async Task AcksAndMarksBeyondTheHeadGoNoFurtherThanTheHead(Wire wire)
    {
        var user = fixture.NewUser();
        await using var client = await fixture.Server.SignInAsync(wire, user);
        var sent = (await client.AskAsync(Send(user: user + "x"))).SendAck;

        var acked = await client.AskAsync(new ClientPacket { DeviceAck = new DeviceAck { InboxSeq = long.MaxValue } });
        var marked = await client.AskAsync(Mark(sent.ConversationId, long.MaxValue));

        Assert.NotNull(acked.DeviceAcked);
        Assert.Equal(sent.ConversationSeq, marked.MarkedRead.ConversationSeq);
    }

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.WebSocket)]
    [InlineData(Wire.Json)]
    public async Task AnIdUsedTwiceIsADuplicateForTheSameContentAndAnErrorForOther(Wire wire)
    {
        var user = fixture.NewUser();
        await using var client = await fixture.Server.SignInAsync(wire, user);
        var message = Send(user: user + "x");
        var first = (await client.AskAsync(message.Clone())).SendAck;

        var again = (await client.AskAsync(message.Clone())).SendAck;
        await client.AskForErrorAsync(Change(message.Clone(), send => send.Content.Text = "other"), ImErrorCode.ClientIdReused);
        await client.AskForErrorAsync(Change(message.Clone(), send => send.UserId = user + "y"), ImErrorCode.ClientIdReused);
        await client.AskForErrorAsync(Change(message.Clone(), send => send.Content.Mentions.Add("*")), ImErrorCode.ClientIdReused);

        Assert.Equal(SendResult.Stored, first.Result);
        Assert.Equal(SendResult.Duplicate, again.Result);
        first.Result = SendResult.Duplicate;
        Assert.Equal(first, again);
        var inbox = (await client.AskAsync(Inbox(0))).SyncPage;
        Assert.Single(inbox.Entries);
    }

    private static ClientPacket Send(string? user = null, string? conversation = null)
    {
        var send = new Send { ClientMessageId = Guid.NewGuid().ToString("N"), Content = new Content { ContentType = "text", Text = "hello" } };
        if (conversation is not null)
        {
            send.ConversationId = conversation;
        }
        else
        {
            send.UserId = user ?? "bystander";
        }

        return new ClientPacket { Send = send };
    }

    private static ClientPacket Change(ClientPacket packet, Action<Send> change)
    {
        change(packet.Send);
        return packet;
    }

    private static ClientPacket Inbox(long after, int maxEntries = 0, int maxBytes = 0) => new()
    {
        Sync = new Protocol.Sync { Inbox = new SyncInbox { AfterInboxSeq = after }, MaxEntries = maxEntries, MaxBytes = maxBytes },
    };

    private static ClientPacket History(string conversation, long? after = null, long? before = null)
    {
        var request = new SyncConversation { ConversationId = conversation };
        if (after is not null)
        {
            request.AfterConversationSeq = after.Value;
        }
        else
        {
            request.BeforeConversationSeq = before ?? 0;
        }

        return new ClientPacket { Sync = new Protocol.Sync { Conversation = request } };
    }

    private static ClientPacket Ack(string conversation, long seq) => new()
    {
        DeviceAck = new DeviceAck { Conversations = { new ConversationCursor { ConversationId = conversation, ConversationSeq = seq } } },
    };

    private static ClientPacket Mark(string conversation, long seq) =>
        new() { MarkRead = new MarkRead { ConversationId = conversation, ConversationSeq = seq } };

    private static ClientPacket Refresh(string token) => new() { RefreshToken = new RefreshToken { Token = token } };
}
