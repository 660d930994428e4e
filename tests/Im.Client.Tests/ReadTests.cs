using Im.Protocol;

namespace Im.Client.Tests;

public sealed class ReadTests : ClientTest
{
    [Fact]
    public async Task EntriesAndSignalsComeInOrder()
    {
        var client = NewClient();
        using var connection = await ConnectAsync(client);
        await connection.SendAsync(
            Packets.Inbox(1, 2),
            new ServerPacket { Signal = new Im.Protocol.Signal { Message = Packets.Text("d", 0) } },
            Packets.Inbox(3));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        var first = Assert.IsType<ImEntryEvent>(await NextAsync(events));
        Assert.Equal((true, 1L, "d/1"), (first.IsInbox, first.Seq, first.Entry.Content.Text));
        Assert.Equal(2, await NextSeqAsync(events));
        Assert.IsType<ImSignalEvent>(await NextAsync(events));
        Assert.Equal(3, await NextSeqAsync(events));
    }

    [Fact]
    public async Task DuplicatesAreDroppedInsideOfAPushToo()
    {
        var client = NewClient();
        using var connection = await ConnectAsync(client);
        await connection.SendAsync(Packets.Inbox(1, 3), Packets.Inbox(2, 3), Packets.Inbox(1), Packets.Inbox(5));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        for (var seq = 1; seq <= 5; seq++)
        {
            Assert.Equal(seq, await NextSeqAsync(events));
        }
    }

    [Fact]
    public async Task AGapIsNeverSkippedButReconnectedFrom()
    {
        var client = NewClient();
        using var first = await ConnectAsync(client);
        await first.SendAsync(Packets.Inbox(1, 2), Packets.Inbox(4));
        using var second = await Server.AcceptAsync();
        var signIn = await second.SignInAsync();
        Assert.Equal(("g1", 2L), (signIn.Generation, signIn.InboxCursor)); // Buffered, though the application has taken nothing yet.
        await second.SendAsync(Packets.Inbox(3, 2));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        for (var seq = 1; seq <= 4; seq++)
        {
            Assert.Equal(seq, await NextSeqAsync(events));
        }
    }

    [Fact]
    public async Task ASkipMovesTheCursorAndIsNotShown()
    {
        var client = NewClient();
        using var first = await ConnectAsync(client);
        await first.SendAsync(
            Packets.Conversation("g", 5, 2), Packets.Skipped("g", 7, 9), Packets.Skipped("g", 8, 9), Packets.Conversation("g", 10), Packets.Skipped("g", 11, 20));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        Assert.Equal(5, await NextSeqAsync(events));
        Assert.Equal(6, await NextSeqAsync(events));
        Assert.Equal(10, await NextSeqAsync(events));
        await first.SendAsync(Packets.Skipped("g", 22, 30));
        using var second = await Server.AcceptAsync();
        Assert.Equal(20, Assert.Single((await second.SignInAsync()).ConversationCursors).ConversationSeq);
    }

    [Fact]
    public async Task ASendAckNeverMovesACursor()
    {
        var client = NewClient();
        using var first = await ConnectAsync(client);
        var sending = Send(client, "m");
        await first.AckAsync((await first.ReadSendAsync()).RequestId, 50);
        await sending.WaitAsync(Wait.Limit);
        first.Cut();
        using var second = await Server.AcceptAsync();
        Assert.Equal(0, (await second.SignInAsync()).InboxCursor);
    }

    [Fact]
    public async Task AResetCarriesAllPagesAndDropsWhatWasBuffered()
    {
        var client = NewClient();
        var first = await ConnectAsync(client);
        await first.SendAsync(Packets.Inbox(1, 5));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        Assert.Equal(1, await NextSeqAsync(events));
        var marking = client.MarkReadAsync("d", 1); // Its arrival and answer prove that the push before it was read.
        await AnswerMarkAsync(first);
        await marking.WaitAsync(Wait.Limit);
        first.Cut();

        using var second = await Server.AcceptAsync();
        await second.SignInAsync(s =>
        {
            s.Reset = true;
            s.Generation = "g2";
        });
        await second.SendAsync(
            new ServerPacket { Snapshot = new Snapshot { InboxSeq = 70, HasMore = true, Conversations = { State("d", 4, Fanout.Write) } } },
            new ServerPacket { Snapshot = new Snapshot { InboxSeq = 70, Conversations = { State("g:r", 9, Fanout.Read) } } },
            Packets.Inbox(71),
            Packets.Conversation("g:r", 10));
        marking = client.MarkReadAsync("d", 1);
        await AnswerMarkAsync(second);
        await marking.WaitAsync(Wait.Limit);

        var reset = Assert.IsType<ImResetEvent>(await NextAsync(events));
        Assert.Equal(("g2", 70L), (reset.Generation, reset.InboxSeq));
        Assert.Equal(["d", "g:r"], reset.Conversations.Select(c => c.ConversationId));
        Assert.Equal(71, await NextSeqAsync(events));
        var read = Assert.IsType<ImEntryEvent>(await NextAsync(events));
        Assert.Equal(("g:r", 10L), (read.ConversationId, read.Seq));

        static ConversationState State(string id, long head, Fanout fanout) => new() { ConversationId = id, Head = head, Fanout = fanout };
    }

    [Fact]
    public async Task AConnectionLostInTheMiddleOfASnapshotChangesNothing()
    {
        var client = NewClient();
        var first = await ConnectAsync(client, s => s.Reset = true);
        await first.SendAsync(new ServerPacket { Snapshot = new Snapshot { InboxSeq = 7, HasMore = true } });
        first.Cut();
        using var second = await Server.AcceptAsync();
        var signIn = await second.SignInAsync(s => s.Reset = true);
        Assert.Equal(("", 0L), (signIn.Generation, signIn.InboxCursor));
        await second.SendAsync(new ServerPacket { Snapshot = new Snapshot { InboxSeq = 8 } });
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        Assert.Equal(8, Assert.IsType<ImResetEvent>(await NextAsync(events)).InboxSeq);
    }

    [Fact]
    public async Task AnEventThatAnEnumerationWasLeftInComesAgain()
    {
        var client = NewClient();
        using var connection = await ConnectAsync(client);
        await connection.SendAsync(Packets.Inbox(1, 3));
        await foreach (var item in client.ReadAsync())
        {
            if (Assert.IsType<ImEntryEvent>(item).Seq == 2)
            {
                break;
            }
        }

        await using var events = client.ReadAsync().GetAsyncEnumerator();
        Assert.Equal(2, await NextSeqAsync(events));
        Assert.Equal(3, await NextSeqAsync(events));
    }

    [Fact]
    public async Task ASecondReaderIsRefused()
    {
        var client = NewClient();
        using var connection = await ConnectAsync(client);
        await connection.SendAsync(Packets.Inbox(1));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        await NextAsync(events);
        await using var second = client.ReadAsync().GetAsyncEnumerator();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await second.MoveNextAsync());
    }

    [Fact]
    public async Task AFullBufferStopsTheReadingAndLosesNothing()
    {
        const int Count = 40_000;
        var client = NewClient(o => o.EventBufferSize = 10);
        using var connection = await ConnectAsync(client);
        connection.Stream.Socket.SendBufferSize = 16 * 1024;
        var text = new string('x', 500);
        var written = 0;
        var writing = WriteAsync();
        var last = -1;
        var looks = 0;
        await Wait.Until(() =>
        {
            // Stalled: the same count in a hundred looks.
            var now = Volatile.Read(ref written);
            looks = now == last ? looks + 1 : 0;
            last = now;
            return looks == 100 && now > 10;
        });
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        Assert.Equal(1, await NextSeqAsync(events));
        Assert.True(Volatile.Read(ref written) < Count, "The socket was read though the buffer is full.");
        for (var seq = 2; seq <= Count; seq++)
        {
            Assert.Equal(seq, await NextSeqAsync(events));
        }

        await writing.WaitAsync(Wait.Limit);

        async Task WriteAsync()
        {
            for (var seq = 1; seq <= Count; seq++)
            {
                var packet = Packets.Inbox(seq);
                packet.Push.Entries[0].Content.Text = text;
                await connection.SendAsync(packet);
                Interlocked.Increment(ref written);
            }
        }
    }

    [Fact]
    public async Task AConversationsTimelineGoesOnWhereItWasAfterAReconnect()
    {
        var client = NewClient();
        var first = await ConnectAsync(client);
        await first.SendAsync(
            Packets.Conversation("g:early", 31, 2), // Before its join entry.
            Packets.InboxEntry(1, Packets.Joined("g:r", 20)),
            Packets.InboxEntry(2, Packets.Joined("g:early", 30)),
            Packets.InboxEntry(3, Packets.Joined("g:other", 5, user: "bob")),
            Packets.InboxEntry(4, Packets.Joined("g:w", 6, fanout: Fanout.Write)),
            Packets.Conversation("g:r", 21, 3));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        for (var i = 0; i < 9; i++)
        {
            await NextAsync(events);
        }

        first.Cut();
        using var second = await Server.AcceptAsync();
        var signIn = await second.SignInAsync();
        Assert.Equal(4, signIn.InboxCursor);
        Assert.Equal(
            [("g:early", 32L), ("g:r", 23L)],
            signIn.ConversationCursors.Select(c => (c.ConversationId, c.ConversationSeq)).Order());
    }

    private static async Task AnswerMarkAsync(FakeConnection connection)
    {
        ClientPacket? packet;
        do
        {
            packet = await connection.ReadAsync();
        }
        while (packet?.PacketCase == ClientPacket.PacketOneofCase.DeviceAck);
        await connection.SendAsync(new ServerPacket { RequestId = packet!.RequestId, MarkedRead = new MarkedRead() });
    }
}
