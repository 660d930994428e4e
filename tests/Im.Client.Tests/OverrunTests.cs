using System.Collections.Concurrent;
using Im.Protocol;

namespace Im.Client.Tests;

/// <summary>A full event buffer while the application waits for an answer: it gets the answer, and every entry once.</summary>
public sealed class OverrunTests : ClientTest
{
    private const int Buffer = 16;
    private const int Backlog = 10 * Buffer;

    private readonly ConcurrentDictionary<string, int> _sent = new();
    private int _connections;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ALoopThatAwaitsItsSendsGetsThroughABacklogOfTenBuffers(bool nonPersistent)
    {
        var client = NewClient(o => o.EventBufferSize = Buffer);
        var states = new ConcurrentQueue<ImClientState>();
        client.StateChanged += (_, e) => states.Enqueue(e.State);
        using var stop = new CancellationTokenSource();
        var serving = ServeAsync(stop.Token);
        await client.ConnectAsync().WaitAsync(Wait.Limit);

        await using var events = client.ReadAsync().GetAsyncEnumerator();
        for (var seq = 1; seq <= Backlog; seq++)
        {
            Assert.Equal(seq, await NextSeqAsync(events));
            await Send(client, $"re {seq}", nonPersistent).WaitAsync(Wait.Limit);
        }

        // No storm: each connection brought at least a full buffer.
        Assert.InRange(_connections, 2, (Backlog / Buffer) + 1);
        Assert.Equal(Backlog, _sent.Count);
        Assert.Equal([ImClientState.Connecting, ImClientState.Connected], states);
        await StopAsync(client, serving, stop);
    }

    [Fact]
    public async Task ARequestIsAnsweredThoughNobodyReadsAndTheConnectionStaysUntilSomebodyDoes()
    {
        var client = NewClient(o => o.EventBufferSize = Buffer);
        using var stop = new CancellationTokenSource();
        var serving = ServeAsync(stop.Token);
        await client.ConnectAsync().WaitAsync(Wait.Limit);
        for (var i = 0; i < 20; i++)
        {
            await Send(client, $"m{i}").WaitAsync(Wait.Limit);
        }

        Assert.Equal(1, _connections);
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        for (var seq = 1; seq <= Backlog; seq++)
        {
            Assert.Equal(seq, await NextSeqAsync(events));
        }

        Assert.Equal(2, _connections);
        await StopAsync(client, serving, stop);
    }

    [Fact]
    public async Task AFinalCloseIsSeenBehindAFullBufferThatIsReadForAnAnswer()
    {
        var client = NewClient(o => o.EventBufferSize = Buffer);
        using var connection = await ConnectAsync(client);
        await connection.SendAsync(Packets.Inbox(1, 2 * Buffer), Packets.Inbox((2 * Buffer) + 1, Buffer));
        var send = Send(client, "m");
        await connection.ReadSendAsync();
        await connection.CloseAsync(ImCloseCode.Disconnected);
        var error = await Assert.ThrowsAsync<ImClientException>(() => send.WaitAsync(Wait.Limit));
        Assert.Equal(ImCloseCode.Disconnected, error.CloseCode);
    }

    [Fact]
    public async Task AfterAnOverrunThatCannotReconnectANonPersistentSendFails()
    {
        var client = NewClient(o => o.EventBufferSize = Buffer);
        var connection = await ConnectAsync(client);
        await connection.SendAsync(Packets.Inbox(1, 2 * Buffer));
        var send = Send(client, "m");
        var (requestId, _) = await connection.ReadSendAsync();
        await connection.AckAsync(requestId, 1);
        await send.WaitAsync(Wait.Limit);
        Server.Leave();
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        for (var seq = 1; seq <= Buffer; seq++)
        {
            Assert.Equal(seq, await NextSeqAsync(events));
        }

        await connection.AssertClosedAsync();
        await Wait.Until(() => client.State == ImClientState.Reconnecting);
        var error = await Assert.ThrowsAsync<ImClientException>(() => Send(client, "n", nonPersistent: true).WaitAsync(Wait.Limit));
        Assert.Equal(ImClientFailure.Disconnected, error.Failure);
    }

    private static async Task StopAsync(ImClient client, Task serving, CancellationTokenSource stop)
    {
        await stop.CancelAsync();
        await client.DisposeAsync().AsTask().WaitAsync(Wait.Limit);
        await serving.WaitAsync(Wait.Limit);
    }

    /// <summary>Pushes all of the backlog that the client has not, and answers sends behind it.</summary>
    private async Task ServeAsync(CancellationToken stop)
    {
        while (true)
        {
            FakeConnection connection;
            try
            {
                connection = await Server.AcceptAsync().WaitAsync(stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            using (connection)
            {
                Interlocked.Increment(ref _connections);
                try
                {
                    var signIn = await connection.SignInAsync();
                    for (var seq = signIn.InboxCursor + 1; seq <= Backlog; seq += 7)
                    {
                        await connection.SendAsync(Packets.Inbox(seq, (int)Math.Min(7, Backlog - seq + 1)));
                    }

                    while (await connection.ReadAsync().WaitAsync(stop) is { } packet)
                    {
                        if (packet.PacketCase == ClientPacket.PacketOneofCase.Send)
                        {
                            _sent.AddOrUpdate(packet.Send.ClientMessageId, 1, (_, n) => n + 1);
                            await connection.AckAsync(packet.RequestId, 1);
                        }
                    }
                }
                catch (Exception e) when (e is IOException || stop.IsCancellationRequested)
                {
                    // The client left, perhaps before it signed in.
                }
            }
        }
    }
}
