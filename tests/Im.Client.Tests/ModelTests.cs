using System.Collections.Concurrent;
using Im.Protocol;
using Xunit.Abstractions;

namespace Im.Client.Tests;

/// <summary>
/// A server that cuts, repeats, skips and forgets at random. Whatever it does, the application gets every entry of both timelines once and in
/// order, and every send, also of the loop that reads, is stored once and in order.
/// </summary>
public sealed class ModelTests(ITestOutputHelper output) : ClientTest
{
    private const int Entries = 1500;
    private const int Sends = 500;
    private const string Group = "g:r";

    private readonly List<string> _stored = [];
    private readonly Dictionary<string, long> _seqs = [];
    private readonly ConcurrentQueue<string> _violations = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NothingIsLostOrDoubledOrOutOfOrder(bool theReaderSends)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("IM_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"IM_SEED={seed}");
        var random = new Random(seed);
        var client = NewClient(o =>
        {
            o.EventBufferSize = 16;
            o.MaxInFlight = 20;
        });
        using var stop = new CancellationTokenSource();
        // A reader that waits for an ack needs connections that live until the ack comes.
        var serving = ServeAsync(random, theReaderSends ? 400 : 40, stop.Token);
        var reading = ReadAllAsync(client, theReaderSends ? new Random(random.Next()) : null);
        await client.ConnectAsync().WaitAsync(Wait.Limit);
        var sending = Enumerable.Range(0, theReaderSends ? 0 : Sends).Select(i => Send(client, $"m{i}")).ToArray();
        var acks = await Task.WhenAll(sending).WaitAsync(TimeSpan.FromSeconds(20));
        await reading.WaitAsync(TimeSpan.FromSeconds(20));
        await stop.CancelAsync();
        await client.DisposeAsync();
        await serving.WaitAsync(Wait.Limit);

        Assert.Empty(_violations);
        Assert.Equal(theReaderSends ? Enumerable.Range(1, _stored.Count).Select(i => $"echo {i}") : Enumerable.Range(0, Sends).Select(i => $"m{i}"), _stored);
        Assert.Equal(acks.Select(a => a.ConversationSeq), acks.Select(a => _seqs[a.ClientMessageId]));
    }

    private static async Task ReadAllAsync(ImClient client, Random? sends)
    {
        var echoes = 0;
        var inbox = 0L;
        var group = 0L;
        await foreach (var item in client.ReadAsync())
        {
            var entry = Assert.IsType<ImEntryEvent>(item);
            Assert.Equal((entry.IsInbox ? ++inbox : ++group) + (entry.IsInbox ? 0 : 1), entry.Seq); // The group begins after its join, seq 1.
            if (inbox == Entries && group == Entries)
            {
                return;
            }

            if (sends?.Next(50) == 0)
            {
                await Send(client, $"echo {++echoes}").WaitAsync(Wait.Limit);
            }
        }

        Assert.Fail("The stream ended.");
    }

    private async Task ServeAsync(Random random, int pushesPerCut, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
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

            try
            {
                var signIn = await connection.SignInAsync();
                var group = signIn.ConversationCursors.SingleOrDefault()?.ConversationSeq ?? 1;
                await Task.WhenAll(
                    PushAsync(connection, new Random(random.Next()), signIn.InboxCursor, group, pushesPerCut, stop),
                    AnswerAsync(connection, new Random(random.Next())));
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
            {
            }
            catch (Exception e)
            {
                _violations.Enqueue(e.ToString());
            }

            connection.Dispose();
        }
    }

    private static async Task PushAsync(
        FakeConnection connection, Random random, long inbox, long group, int pushesPerCut, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Yield(); // Small writes complete at once: sends are to be answered in between.
            var isInbox = random.Next(2) == 0;
            var cursor = isInbox ? inbox : group;
            var last = isInbox ? Entries : Entries + 1;
            var first = Math.Max(1, cursor + 1 - (random.Next(4) == 0 ? random.Next(5) : 0)); // Sometimes again what was sent before.
            if (random.Next(60) == 0 && (isInbox || group > 1)) // An unknown conversation begins wherever it begins.
            {
                first = cursor + 2; // A hole.
            }

            var count = (int)Math.Min(1 + random.Next(20), last - first + 1);
            if (count > 0)
            {
                await connection.SendAsync(isInbox
                    ? first == 1 ? Packets.InboxEntry(1, Packets.Joined(Group, 1)) : Packets.Inbox(first, count)
                    : Packets.Conversation(Group, Math.Max(2, first), (int)Math.Min(count, last - Math.Max(2, first) + 1)));
                cursor = Math.Max(cursor, first == 1 && isInbox ? 1 : first + count - 1);
                _ = isInbox ? inbox = cursor : group = cursor;
            }
            else if (inbox >= Entries && group > Entries)
            {
                await Task.Delay(1, stop);
            }

            if (random.Next(pushesPerCut) == 0)
            {
                connection.Cut();
                return;
            }
        }
    }

    private async Task AnswerAsync(FakeConnection connection, Random random)
    {
        while (await connection.ReadAsync() is { } packet)
        {
            if (packet.PacketCase != ClientPacket.PacketOneofCase.Send || random.Next(50) == 0)
            {
                if (packet.PacketCase == ClientPacket.PacketOneofCase.Send)
                {
                    connection.Cut(); // Forgotten before it was stored.
                    return;
                }

                continue;
            }

            var id = packet.Send.ClientMessageId;
            if (_seqs.TryAdd(id, _stored.Count + 1))
            {
                _stored.Add(id);
            }

            if (random.Next(30) == 0)
            {
                connection.Cut(); // Stored, and the ack is lost.
                return;
            }

            await connection.SendAsync(new ServerPacket
            {
                RequestId = packet.RequestId,
                SendAck = new SendAck { Result = SendResult.Stored, ConversationSeq = _seqs[id] },
            });
        }
    }
}
