using Im.IntegrationTests.Support;
using Im.Protocol;
using Im.Transport.Tcp;
using Im.Transport.WebSockets;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.BadInput;

/// <summary>Each limit of a connection: what is over it gets its code, and what is within it goes on.</summary>
public sealed class LimitTests
{
    public static TheoryData<Wire> AllWires => new(Wire.Tcp, Wire.WebSocket, Wire.Json);

    [Theory]
    [MemberData(nameof(AllWires))]
    public async Task WhoNeverSignsInIsClosedAtTheDeadline(Wire wire)
    {
        await using var server = await StartAsync(options => options.SignInTimeout = TimeSpan.FromMilliseconds(100));
        await using var silent = await server.ConnectAsync(wire);

        await silent.ReadToCloseAsync(ImCloseCode.SignInTimeout);
        await AssertClosedAsync(server, wire, "sign_in_timeout");
    }

    [Theory]
    [MemberData(nameof(AllWires))]
    public async Task ASignInThatComesByteByByteIsNoSignIn(Wire wire)
    {
        await using var server = await StartAsync(options => options.SignInTimeout = TimeSpan.FromMilliseconds(200));
        await using var drip = await server.ConnectAsync(wire);
        var reading = drip.ReadToCloseAsync(ImCloseCode.SignInTimeout);
        try
        {
            // A frame that never ends, a byte at every look.
            await drip.WriteBytesAsync(drip.ToFrame(new byte[1000])[..10]);
            while (!reading.IsCompleted)
            {
                await drip.WriteBytesAsync([0]);
                await Task.WhenAny(reading, Task.Delay(10));
            }
        }
        catch (Exception exception) when (exception is IOException or System.Net.Sockets.SocketException)
        {
            // Closed already.
        }

        await reading;
    }

    // All at once: they only wait.
    [Fact]
    public Task OnlyWhatTheClientSendsIsLife() => Task.WhenAll(EndAnIdleOneAsync(Wire.Tcp), EndAnIdleOneAsync(Wire.WebSocket), EndAnIdleOneAsync(Wire.Json));

    [Theory]
    [MemberData(nameof(AllWires))]
    public async Task ConnectionsOverTheLimitAreTurnedAwayAndPlacesBecomeFree(Wire wire)
    {
        await using var server = await StartAsync(options => options.MaxConnections = 2);
        await using var first = await server.SignInAsync(wire, "first");
        var second = await server.SignInAsync(wire, "second");
        await using (var third = await server.ConnectAsync(wire))
        {
            var (_, close) = await third.ReadToCloseAsync(ImCloseCode.TooManyConnections);
            Assert.Contains("MaxConnections)", close.Reason, StringComparison.Ordinal);
        }

        await second.DisposeAsync();
        await Wait.ForAsync(() => server.Connections.Count == 1, "the places to become free");
        await using var next = await server.SignInAsync(wire, "next");
        await first.PingAsync();
    }

    [Theory]
    [MemberData(nameof(AllWires))]
    public async Task ConnectionsFromOneAddressAreLimited(Wire wire)
    {
        await using var server = await StartAsync(options => options.MaxConnectionsPerAddress = 1);
        await using var first = await server.SignInAsync(wire, "first");
        await using var second = await server.ConnectAsync(wire);

        var (_, close) = await second.ReadToCloseAsync(ImCloseCode.TooManyConnections);

        Assert.Contains("MaxConnectionsPerAddress", close.Reason, StringComparison.Ordinal);
        await first.PingAsync();
        await AssertClosedAsync(server, wire, "too_many_connections");
    }

    [Theory]
    [MemberData(nameof(AllWires))]
    public async Task MessagesOverTheRateAreRefusedAndAResendOfAStoredOneIsNot(Wire wire)
    {
        await using var server = await StartAsync(options => options.MaxSendsPerSecond = 3);
        await using var client = await server.SignInAsync(wire, "alice");
        var answers = new List<ServerPacket>();
        for (var i = 0; i < 3; i++)
        {
            answers.Add(await client.AskAsync(Send($"m{i}")));
        }

        // The bucket is empty, but for what time puts back.
        ServerPacket refused;
        var extra = 0;
        do
        {
            refused = await client.AskAsync(Send($"x{extra++}"));
        }
        while (refused.Error is null && extra < 100);

        Assert.NotNull(refused.Error);
        Assert.Equal((int)ImErrorCode.RateLimited, refused.Error.Code);
        for (var i = 0; i < 3; i++)
        {
            var again = await client.AskAsync(Send($"m{i}"));
            Assert.NotNull(again.SendAck);
            Assert.Equal(SendResult.Duplicate, again.SendAck.Result);
            Assert.Equal(answers[i].SendAck.ConversationSeq, again.SendAck.ConversationSeq);
        }

        Assert.True(server.Metrics["im.errors rate_limited"] >= 1);
        await client.PingAsync();
    }

    [Theory]
    [MemberData(nameof(AllWires))]
    public async Task AConnectionThatBreaksInsideAFrameIsGone(Wire wire)
    {
        await using var server = await StartAsync(_ => { });
        await using var other = await server.SignInAsync(wire, "other");
        foreach (var reset in new[] { true, false })
        {
            var client = await server.SignInAsync(wire, "alice");
            await client.WriteBytesAsync(client.ToFrame(new byte[1000])[..500]);
            if (reset)
            {
                client.Reset();
            }
            else
            {
                await client.DisposeAsync();
            }

            await Wait.ForAsync(() => server.Connections.Count == 1, "the connection to be gone");
            Assert.True(server.Connections.Sessions.Get("alice").IsEmpty);
        }

        await other.PingAsync();
        Assert.Empty(server.Logs.Errors);
    }

    [Theory]
    [MemberData(nameof(AllWires))]
    public async Task WhoAsksAndNeverReadsIsClosedAsSlow(Wire wire)
    {
        await using var server = await StartAsync(options =>
        {
            options.MaxQueueBytes = 16 * 1024;
            options.SlowTimeout = TimeSpan.FromSeconds(1);
        });
        await using var other = await server.SignInAsync(wire, "other");
        await using var client = await server.SignInAsync(wire, "alice", receiveBufferBytes: 4096);
        for (var i = 0; i < 8; i++)
        {
            await client.AskAsync(Send($"m{i}", new string('x', 32 * 1024)));
        }

        // Replies of a quarter of a megabyte each, none of them read, until the server reads no more either.
        var largest = 0;
        try
        {
            using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            while (server.Metrics[$"im.connections.closed {TransportOf(wire)} slow"] == 0 && !stop.IsCancellationRequested)
            {
                var write = client.WriteAsync(new ClientPacket { Sync = new Protocol.Sync { Inbox = new SyncInbox() } });
                await Task.WhenAny(write, Task.Delay(20));
                largest = Math.Max(largest, server.Connections.All.Max(connection => connection.Outbox.QueuedBytes));
                if (!write.IsCompleted)
                {
                    await Wait.ForAsync(() => write.IsCompleted || server.Connections.Count == 1, "the server to close");
                    break;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or System.Net.Sockets.SocketException)
        {
            // Closed.
        }

        await AssertClosedAsync(server, wire, "slow");
        Assert.InRange(largest, 1, 16 * 1024 + (2 * 512 * 1024));
        await other.PingAsync();
    }

    private static async Task EndAnIdleOneAsync(Wire wire)
    {
        await using var server = await StartAsync(options => options.IdleTimeout = TimeSpan.FromSeconds(2));
        await using var listener = await server.SignInAsync(wire, "listener");
        await using var pinger = await server.SignInAsync(wire, "pinger");
        var reading = listener.ReadToCloseAsync(ImCloseCode.Idle);
        var pinging = PingUntilAsync(pinger, reading);
        while (!reading.IsCompleted)
        {
            // It gets messages all the time and says nothing.
            await server.Im.Messages.SendAsync(new Model.OutgoingMessage
            {
                SenderId = "$test",
                ToUserId = "listener",
                Content = Model.MessageContent.FromText("hello"),
            });
            await Task.WhenAny(reading, Task.Delay(100));
        }

        var (before, _) = await reading;
        Assert.True(before.Count(packet => packet.Push is not null) > 3);
        await pinging;
        await AssertClosedAsync(server, wire, "idle");
    }

    // A closing connection has half a second, not five, to take what is queued for it.
    private static Task<TestServer> StartAsync(Action<ImServerOptions> configure) => TestServer.StartAsync(
        options =>
        {
            options.HeartbeatInterval = TimeSpan.FromMilliseconds(20);
            configure(options);
        },
        im =>
        {
            im.Services.Configure<TcpTransportOptions>(options => options.CloseTimeout = TimeSpan.FromMilliseconds(500));
            im.Services.Configure<WebSocketTransportOptions>(options => options.CloseTimeout = TimeSpan.FromMilliseconds(500));
        });

    private static async Task PingUntilAsync(IWireClient client, Task end)
    {
        while (!end.IsCompleted)
        {
            await client.PingAsync();
            await Task.WhenAny(end, Task.Delay(100));
        }

        await client.PingAsync();
    }

    private static async Task AssertClosedAsync(TestServer server, Wire wire, string code)
    {
        await Wait.ForAsync(() => server.Metrics[$"im.connections.closed {TransportOf(wire)} {code}"] == 1, $"{code} to be counted");
        Assert.Empty(server.Logs.Errors);
    }

    private static string TransportOf(Wire wire) => wire == Wire.Tcp ? "tcp" : "websocket";

    private static ClientPacket Send(string id, string text = "hello") => new()
    {
        Send = new Send { ClientMessageId = id, UserId = "bob", Content = new Content { ContentType = "text", Text = text } },
    };
}
