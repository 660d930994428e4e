using Im.Connections;
using Im.Diagnostics;
using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Model;
using Im.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.Interleavings;

/// <summary>A session that ends in the middle of its sign-in: it leaves nothing behind, and never takes the place of its successor.</summary>
public sealed class ReplacedAndClosedTests(InterleavingFixture fixture) : IClassFixture<InterleavingFixture>
{
    private static int _last;

    private readonly string _user = $"ruser{Interlocked.Increment(ref _last)}";

    public static TheoryData<int, Wire> Windows() => new()
    {
        { (int)Checkpoint.SignInRegistered, Wire.Tcp },
        { (int)Checkpoint.SignInRegistered, Wire.WebSocket },
        { (int)Checkpoint.SignInRead, Wire.Tcp },
        { (int)Checkpoint.SignInRead, Wire.WebSocket },
        { (int)Checkpoint.PageRead, Wire.Tcp },
        { (int)Checkpoint.PageRead, Wire.WebSocket },
    };

    private ConversationReaders Readers => fixture.Server.Services.GetRequiredService<ConversationReaders>();

    [Theory]
    [MemberData(nameof(Windows))]
    public async Task ADeviceThatSignsInAgainReplacesItsFirstSignInInEveryWindow(int checkpoint, Wire wire)
    {
        var group = await CreateGroupAsync();
        await using var first = await fixture.Server.ConnectAsync(wire);
        var device = new TimelineChecker(_user);
        using var gate = new Gate(fixture.Server.Checkpoints, (Checkpoint)checkpoint);
        await first.WriteAsync(SignIn());
        await gate.ReachedAsync();

        // Accepted later, so it is the newer one.
        await using var second = await fixture.Server.ConnectAsync(wire);
        await SignInAsync(second, device);
        gate.Release();
        var (before, _) = await first.ReadToCloseAsync(ImCloseCode.Replaced);
        Assert.DoesNotContain(before, packet => packet.PacketCase == ServerPacket.PacketOneofCase.Push);

        var session = Assert.Single(fixture.Server.Connections.Sessions.Get(_user).ToArray());
        await AssertDeliversAsync(group, second, device);
        Assert.Same(session, Assert.Single(fixture.Server.Connections.Sessions.Get(_user).ToArray()));
        Assert.Equal([session], ReadersOf(group));
    }

    [Theory]
    [MemberData(nameof(Windows))]
    public async Task AClientThatGoesAwayInAnyWindowLeavesNothingBehind(int checkpoint, Wire wire)
    {
        var group = await CreateGroupAsync();
        var connections = fixture.Server.Connections.Count;
        var client = await fixture.Server.ConnectAsync(wire);
        using (var gate = new Gate(fixture.Server.Checkpoints, (Checkpoint)checkpoint))
        {
            await client.WriteAsync(SignIn());
            await gate.ReachedAsync();
            client.Reset();
            await Wait.ForAsync(() => fixture.Server.Connections.Sessions.Get(_user).IsEmpty, "the session to be gone");
            await SayAsync(group);
            gate.Release();
        }

        await Wait.ForAsync(() => fixture.Server.Connections.Count <= connections, "the connection to be gone");

        // The next one passes the same places, so what the first one still had to do is done.
        await using var next = await fixture.Server.ConnectAsync(wire);
        var device = new TimelineChecker(_user);
        await SignInAsync(next, device);
        await AssertDeliversAsync(group, next, device);
        Assert.Equal(fixture.Server.Connections.Sessions.Get(_user).ToArray(), ReadersOf(group));
        Assert.Empty(fixture.Server.Logs.Errors);
    }

    [Theory]
    [MemberData(nameof(Windows))]
    public async Task ADisconnectByTheHostInAnyWindowIsToldAndFinal(int checkpoint, Wire wire)
    {
        var group = await CreateGroupAsync();
        await using var client = await fixture.Server.ConnectAsync(wire);
        using (var gate = new Gate(fixture.Server.Checkpoints, (Checkpoint)checkpoint))
        {
            await client.WriteAsync(SignIn());
            await gate.ReachedAsync();
            Assert.Equal(1, await fixture.Server.Im.Sessions.DisconnectAsync(_user, reason: "banned", code: (ImCloseCode)4100));
            await SayAsync(group);
            gate.Release();
            var (before, close) = await client.ReadToCloseAsync((ImCloseCode)4100);
            Assert.Equal("banned", close.Reason);
            Assert.DoesNotContain(before, packet => packet.PacketCase == ServerPacket.PacketOneofCase.Push);
        }

        Assert.True(fixture.Server.Connections.Sessions.Get(_user).IsEmpty);
        await Wait.ForAsync(() => ReadersOf(group).Length == 0, "nobody to follow the group");
    }

    [Fact]
    public async Task ManySignInsOfOneDeviceAtOnceLeaveOne()
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => fixture.Server.ConnectAsync((Wire)(i % 3))));
        await Task.WhenAll(clients.Select(client => client.WriteAsync(SignIn()))).InTimeAsync();

        var codes = new List<int>();
        var reading = clients.Select(async client =>
        {
            var close = 0;
            while (close == 0 && await client.TryReadAsync() is { } packet)
            {
                close = packet.Close?.Code ?? 0;
            }

            lock (codes)
            {
                codes.Add(close);
            }
        }).ToArray();
        await Wait.ForAsync(() => Count() == clients.Length - 1, "all but one to be closed");
        Assert.Equal(1, await fixture.Server.Im.Sessions.DisconnectAsync(_user, code: (ImCloseCode)4000));
        await Task.WhenAll(reading).InTimeAsync();
        Assert.Equal(clients.Length - 1, codes.Count(code => code == (int)ImCloseCode.Replaced));
        Assert.Single(codes, 4000);
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        int Count()
        {
            lock (codes)
            {
                return codes.Count;
            }
        }
    }

    private ClientPacket SignIn() => new() { SignIn = new SignIn { Token = _user, DeviceId = "d1" } };

    private async Task<string> CreateGroupAsync()
    {
        var group = await fixture.Server.Im.Groups.CreateAsync(new NewGroup
        {
            Info = new Model.GroupInfo("G"),
            MemberIds = [_user, "speaker"],
            ActorId = "$test",
            Fanout = "read",
        });
        await SayAsync(group.ConversationId);
        return group.ConversationId;
    }

    private async Task SayAsync(string group) => (await fixture.Server.Im.Messages.SendAsync(
        new OutgoingMessage { SenderId = "speaker", ConversationId = group, Content = MessageContent.FromText("hello") })).EnsureAccepted();

    private static async Task SignInAsync(IWireClient client, TimelineChecker device)
    {
        await client.WriteAsync(new ClientPacket { SignIn = device.ToSignIn("d1") });
        ServerPacket packet;
        do
        {
            packet = await client.ReadNextAsync();
            device.Take(packet);
        }
        while (packet.Snapshot is null);
    }

    private async Task AssertDeliversAsync(string group, IWireClient client, TimelineChecker device)
    {
        await SayAsync(group);
        await SayAsync(group);
        while (device.Entries.Count < 2)
        {
            device.Take(await client.ReadNextAsync());
        }

        await client.PingAsync();
    }

    private Session[] ReadersOf(string conversationId)
    {
        var rented = Readers.Rent(conversationId, out var count);
        return rented is null ? [] : rented[..count];
    }
}
