using Im.IntegrationTests.Support;
using Im.Protocol;

namespace Im.IntegrationTests.Host;

/// <summary>Who is online, and how the host ends it.</summary>
public sealed class SessionsTests
{
    [Fact]
    public async Task TheHostSeesWhoIsOnlineOnWhichDevices()
    {
        await using var server = await TestServer.StartAsync();
        var signIn = new SignIn { Device = new DeviceInfo { Type = "phone", Os = "Linux" } };
        var (phone, signedIn) = await WireClient.SignInAsync(server.TcpEndpoint, "alice", "phone", signIn);
        var (laptop, _) = await WireClient.SignInAsync(server.TcpEndpoint, "alice", "laptop");

        Assert.Equal(["alice"], await server.Im.Sessions.GetOnlineAsync(["alice", "bob"]));
        var sessions = await server.Im.Sessions.GetSessionsAsync("alice");
        Assert.Equal(["laptop", "phone"], sessions.Select(session => session.Device.DeviceId));
        Assert.Equal(("phone", "Linux", signedIn.ConnectionId, "tcp", "127.0.0.1"), (sessions[1].Device.Type, sessions[1].Device.Os, sessions[1].ConnectionId, sessions[1].Transport, sessions[1].RemoteAddress));
        Assert.Empty(await server.Im.Sessions.GetSessionsAsync("bob"));
        Assert.Equal(2, server.Im.Sessions.ConnectionCount);

        await phone.DisposeAsync();
        await laptop.DisposeAsync();
        await Wait.ForAsync(() => server.Im.Sessions.ConnectionCount == 0, "the connections to be gone");
        Assert.Empty(await server.Im.Sessions.GetOnlineAsync(["alice"]));
    }

    [Fact]
    public async Task TheHostDisconnectsADeviceOrAUserWithAReason()
    {
        await using var server = await TestServer.StartAsync();
        var (phone, _) = await WireClient.SignInAsync(server.TcpEndpoint, "alice", "phone");
        var (laptop, _) = await WireClient.SignInAsync(server.TcpEndpoint, "alice", "laptop");
        Assert.Equal(1, await server.Im.Sessions.DisconnectAsync("alice", "phone", ImCloseCode.Disconnected, "Signed out elsewhere."));
        Assert.Equal("Signed out elsewhere.", (await phone.ReadToCloseAsync(ImCloseCode.Disconnected)).Close.Reason);
        Assert.Equal(1, await server.Im.Sessions.DisconnectAsync("alice", code: (ImCloseCode)4321, reason: "Banned."));
        await laptop.ReadToCloseAsync((ImCloseCode)4321);
        Assert.Equal(0, await server.Im.Sessions.DisconnectAsync("alice"));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => server.Im.Sessions.DisconnectAsync("alice", code: ImCloseCode.Shutdown).AsTask());
    }

    // Trap 7: the older connection's end does not take the newer one with it.
    [Fact]
    public async Task TheSameDeviceSigningInAgainReplacesItsOlderConnection()
    {
        await using var server = await TestServer.StartAsync();
        var (older, _) = await WireClient.SignInAsync(server.TcpEndpoint, "alice", "phone");
        var (newer, signedIn) = await WireClient.SignInAsync(server.TcpEndpoint, "alice", "phone");
        await older.ReadToCloseAsync(ImCloseCode.Replaced);
        await older.DisposeAsync();
        await Wait.ForAsync(() => server.Im.Sessions.ConnectionCount == 1, "the older connection to be gone");
        Assert.Equal(signedIn.ConnectionId, Assert.Single(await server.Im.Sessions.GetSessionsAsync("alice")).ConnectionId);
        await newer.PingAsync();
        await newer.DisposeAsync();
    }

    // A connection that a client has given up may be handled after its newer one; the newer one must live on.
    [Fact]
    public async Task ALateSignInOfAnEarlierConnectionOfTheSameClientDoesNotReplaceTheNewerOne()
    {
        await using var server = await TestServer.StartAsync();
        var (newer, signedIn) = await WireClient.SignInAsync(server.TcpEndpoint, "alice", "phone", new SignIn { InstanceId = "i", Attempt = 2 });
        var late = await WireClient.ConnectAsync(server.TcpEndpoint);
        await late.WriteAsync(new ClientPacket { SignIn = new SignIn { Token = "alice", DeviceId = "phone", InstanceId = "i", Attempt = 1 } });
        var (before, _) = await late.ReadToCloseAsync(ImCloseCode.Replaced);
        Assert.DoesNotContain(before, packet => packet.SignedIn is not null);
        await newer.PingAsync();
        Assert.Equal(signedIn.ConnectionId, Assert.Single(await server.Im.Sessions.GetSessionsAsync("alice")).ConnectionId);

        // Its next connection, and another start of the client, do replace it.
        var (next, _) = await WireClient.SignInAsync(server.TcpEndpoint, "alice", "phone", new SignIn { InstanceId = "i", Attempt = 3 });
        await newer.ReadToCloseAsync(ImCloseCode.Replaced);
        var (restarted, _) = await WireClient.SignInAsync(server.TcpEndpoint, "alice", "phone", new SignIn { InstanceId = "j", Attempt = 1 });
        await next.ReadToCloseAsync(ImCloseCode.Replaced);
        await restarted.PingAsync();
        foreach (var client in new[] { newer, late, next, restarted })
        {
            await client.DisposeAsync();
        }
    }

    // A page that is reloaded while it reconnects: the sign-in of the page before may be handled last.
    [Fact]
    public async Task OfTwoConnectionsOfADeviceTheOneThatWasAcceptedLaterLives()
    {
        await using var server = await TestServer.StartAsync();
        var earlier = await WireClient.ConnectAsync(server.TcpEndpoint);
        await Wait.ForAsync(() => server.Im.Sessions.ConnectionCount == 1, "the earlier connection");
        var (later, _) = await WireClient.SignInAsync(server.TcpEndpoint, "alice", "phone", new SignIn { InstanceId = "new", Attempt = 1 });
        await earlier.WriteAsync(new ClientPacket { SignIn = new SignIn { Token = "alice", DeviceId = "phone", InstanceId = "old", Attempt = 9 } });
        await earlier.ReadToCloseAsync(ImCloseCode.Replaced);
        await later.PingAsync();
        await earlier.DisposeAsync();
        await later.DisposeAsync();
    }
}
