using Im.Client;
using Im.IntegrationTests.Support;
using Im.Model;

namespace Im.IntegrationTests;

/// <summary>The C# client and the real server: a loop that awaits its sends behind a full event buffer.</summary>
public sealed class ClientOverrunTests
{
    private const int Buffer = 16;
    private const int Backlog = 10 * Buffer;

    [Theory]
    [InlineData("tcp")]
    [InlineData("ws")]
    public async Task AnEchoBotGetsThroughABacklogOfTenBuffers(string transport)
    {
        await using var server = await TestServer.StartAsync(o => o.MaxSendsPerSecond = 100_000);
        var cursors = new MemoryCursorStore();
        await using (await TestDevice.ConnectAsync(server, transport, "bot", configure: o => o.CursorStore = cursors))
        {
            // It has a cursor once the reset is finished and saved: what comes is a backlog, not history.
            await Wait.ForAsync(() => cursors.LoadAsync(CancellationToken.None).Result.Generation.Length > 0, "the bot's cursor");
        }

        await using var alice = await TestDevice.ConnectAsync(server, transport, "alice");
        await alice.NextAsync<ImResetEvent>();
        await server.Im.Messages.SendAsync([.. Enumerable.Range(0, Backlog).Select(i =>
            new OutgoingMessage { SenderId = "alice", ToUserId = "bot", Content = MessageContent.FromText($"{i}") })]);
        await alice.NextTextsAsync(Backlog);

        await using var bot = await TestDevice.ConnectAsync(
            server, transport, "bot", read: false, configure: o => (o.CursorStore, o.EventBufferSize) = (cursors, Buffer));
        var echoing = EchoAsync(bot.Client);
        var echoes = await alice.NextTextsAsync(Backlog);
        Assert.Equal(Enumerable.Range(0, Backlog).Select(i => $"re {i}"), echoes);
        await echoing.WaitAsync(TestDevice.Limit);

        // Its own echoes come to it too.
        Assert.InRange(bot.SignIns, 2, (2 * Backlog / Buffer) + 2);
        Assert.DoesNotContain(ImClientState.Reconnecting, bot.States);
        alice.AssertNothingMore();
    }

    private static async Task EchoAsync(ImClient bot)
    {
        var inbox = 0L;
        await foreach (var item in bot.ReadAsync())
        {
            if (item is not ImEntryEvent entry)
            {
                continue;
            }

            Assert.Equal(++inbox, entry.Seq);
            if (entry.Entry.SenderId == "alice")
            {
                await bot.SendTextAsync(ImTarget.User("alice"), $"re {entry.Entry.Content.Text}").WaitAsync(TestDevice.Limit);
            }

            if (inbox == 2 * Backlog)
            {
                return;
            }
        }
    }
}
