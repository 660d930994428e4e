using Im.Diagnostics;
using Im.IntegrationTests.Support;
using Im.Model;
using Im.Protocol;

namespace Im.IntegrationTests.Host;

/// <summary>A device that starts anew gets its conversations in pages, as fast as it reads them.</summary>
public sealed class SnapshotTests
{
    private const int Conversations = 400;
    private const int MaxQueueBytes = 64 * 1024;

    // A user with many conversations, or with large last messages, must not fill the server's memory by signing in.
    [Fact]
    public async Task ASnapshotIsQueuedAsItIsReadAndComesWhole()
    {
        await using var server = await StartAsync();
        await using var device = await WireClient.ConnectAsync(server.TcpEndpoint, receiveBufferBytes: 4096);
        using var gate = new Gate(server.Checkpoints, Checkpoint.SignInRead);
        await device.WriteAsync(new ClientPacket { SignIn = new SignIn { Token = "bob", DeviceId = "d" } });
        await gate.ReachedAsync();

        // What comes when the snapshot has been read and is still on its way follows it.
        await server.Im.Messages.SendAsync(new OutgoingMessage { SenderId = "alice", ToUserId = "bob", Content = MessageContent.FromText("meanwhile") });
        gate.Release();

        var seen = new HashSet<string>();
        var reply = await device.ReadAsync();
        Assert.True(reply.SignedIn.Reset);
        for (var hasMore = true; hasMore;)
        {
            Assert.All(server.Connections.All, connection => Assert.InRange(connection.Outbox.QueuedBytes, 0, MaxQueueBytes * 2));
            var page = (await device.ReadAsync()).Snapshot;
            Assert.All(page.Conversations, conversation =>
            {
                Assert.True(seen.Add(conversation.ConversationId));
                Assert.Equal(1, conversation.Unread);
                Assert.Equal(conversation.ConversationId.Contains("large", StringComparison.Ordinal), conversation.LastEntry is null);
            });
            hasMore = page.HasMore;
        }

        Assert.Equal(Conversations, seen.Count);
        var push = (await device.ReadAsync()).Push;
        Assert.Equal((Conversations + 1L, "meanwhile"), (push.FirstInboxSeq, push.Entries.Single().Content.Text));
    }

    [Fact]
    public async Task ADeviceThatLeavesDuringItsSnapshotLeavesNothingBehind()
    {
        await using var server = await StartAsync();
        await using (var device = await WireClient.ConnectAsync(server.TcpEndpoint, receiveBufferBytes: 4096))
        {
            await device.WriteAsync(new ClientPacket { SignIn = new SignIn { Token = "bob", DeviceId = "d" } });
            await Wait.ForAsync(() => server.Connections.All.Any(connection => connection.Session is not null), "the sign-in");
        }

        await Wait.ForAsync(() => server.Im.Sessions.ConnectionCount == 0, "the connection to be gone");
        Assert.Empty(await server.Im.Sessions.GetSessionsAsync("bob"));
        Assert.Empty(server.Logs.Errors);
    }

    [Fact]
    public async Task AUserHasAsManySessionsAsTheServerAllows()
    {
        await using var server = await TestServer.StartAsync(options => options.MaxSessionsPerUser = 2);
        var (one, _) = await WireClient.SignInAsync(server.TcpEndpoint, "bob", "d1");
        var (two, _) = await WireClient.SignInAsync(server.TcpEndpoint, "bob", "d2");
        await using var three = await WireClient.ConnectAsync(server.TcpEndpoint);
        await three.WriteAsync(new ClientPacket { SignIn = new SignIn { Token = "bob", DeviceId = "d3" } });
        await three.ReadToCloseAsync(ImCloseCode.TooManyConnections);

        // A device that is there already may come again.
        var (again, _) = await WireClient.SignInAsync(server.TcpEndpoint, "bob", "d2");
        await two.ReadToCloseAsync(ImCloseCode.Replaced);
        await one.PingAsync();
        await again.PingAsync();
        foreach (var client in new[] { one, two, again })
        {
            await client.DisposeAsync();
        }
    }

    private static async Task<TestServer> StartAsync()
    {
        var server = await TestServer.StartAsync(options =>
        {
            options.MaxQueueBytes = MaxQueueBytes;
            options.MaxPageBytes = 8 * 1024;
        });
        var results = await server.Im.Messages.SendAsync(
        [
            .. Enumerable.Range(0, Conversations).Select(i => new OutgoingMessage
            {
                SenderId = i % 10 == 0 ? $"large{i}" : $"user{i}",
                ToUserId = "bob",
                Content = MessageContent.FromText(new string('x', i % 10 == 0 ? 60_000 : 3000)),
            }),
        ]);
        Assert.All(results, result => result.EnsureAccepted());
        return server;
    }
}
