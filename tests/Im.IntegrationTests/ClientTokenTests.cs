using Im.Client;
using Im.IntegrationTests.Support;

namespace Im.IntegrationTests;

/// <summary>The C# client and the real server: tokens that expire.</summary>
public sealed class ClientTokenTests
{
    // Both at once: they only wait.
    [Fact]
    public Task AConnectionOutlivesItsTokens() => Task.WhenAll(OutliveAsync("tcp"), OutliveAsync("ws"));

    [Fact]
    public async Task ARefusedRefreshEndsInAReconnectWithANewToken()
    {
        await using var server = await TestServer.StartAsync(o => o.HeartbeatInterval = TimeSpan.FromMilliseconds(50));
        var asked = 0;
        await using var alice = await TestDevice.ConnectAsync(server, "tcp", "alice", configure: o => o.TokenProvider = _ =>
            ValueTask.FromResult(Interlocked.Increment(ref asked) switch { 1 => "alice;1300", 2 => "bad", _ => "alice" }));
        await TestDevice.UntilAsync(() => alice.SignIns == 2);
        await alice.SendAsync(ImTarget.User("bob"), "back again");
        Assert.Equal(3, asked);
    }

    private static async Task OutliveAsync(string transport)
    {
        await using var server = await TestServer.StartAsync(o => o.HeartbeatInterval = TimeSpan.FromMilliseconds(50));
        var asked = 0;
        await using var alice = await TestDevice.ConnectAsync(server, transport, "alice", configure: o => o.TokenProvider = _ =>
        {
            Interlocked.Increment(ref asked);
            return ValueTask.FromResult("alice;3000");
        });
        await TestDevice.UntilAsync(() => Volatile.Read(ref asked) == 3); // After 4.8 s.
        await alice.SendAsync(ImTarget.User("bob"), "still here");
        Assert.True(alice.SignIns == 1, string.Join('\n', alice.Logged));
    }
}
