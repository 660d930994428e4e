using Im.Protocol;

namespace Im.Client.Tests;

public sealed class CursorTests : ClientTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("im-client-").FullName;

    private string CursorFile => Path.Combine(_folder, "sub", "cursors.json");

    [Fact]
    public async Task TheNextProcessGoesOnAfterTheLastFinishedEvent()
    {
        var client = NewClient(o => o.CursorStore = new FileCursorStore(CursorFile));
        using (var connection = await ConnectAsync(client))
        {
            await connection.SendAsync(
                Packets.InboxEntry(1, Packets.Joined("g:r", 4)), Packets.Conversation("g:r", 5, 3), Packets.Inbox(2, 2));
            await using var events = client.ReadAsync().GetAsyncEnumerator();
            for (var i = 0; i < 5; i++)
            {
                await NextAsync(events); // The fifth, inbox seq 2, is not finished.
            }

            await client.DisposeAsync();
        }

        var next = NewClient(o => o.CursorStore = new FileCursorStore(CursorFile));
        var connecting = next.ConnectAsync();
        using var again = await Server.AcceptAsync();
        var signIn = await again.SignInAsync();
        await connecting.WaitAsync(Wait.Limit);
        Assert.Equal(("g1", 1L), (signIn.Generation, signIn.InboxCursor));
        Assert.Equal([("g:r", 7L)], signIn.ConversationCursors.Select(c => (c.ConversationId, c.ConversationSeq)));
        await again.SendAsync(Packets.Inbox(2, 2));
        await using var rest = next.ReadAsync().GetAsyncEnumerator();
        Assert.Equal(2, await NextSeqAsync(rest));
    }

    [Fact]
    public async Task TheServerIsToldWhatTheApplicationHasFinished()
    {
        var client = NewClient();
        using var connection = await ConnectAsync(client);
        await connection.SendAsync(Packets.Inbox(1, 3), Packets.Conversation("g:r", 8));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        for (var i = 0; i < 4; i++)
        {
            await NextAsync(events);
        }

        var waiting = events.MoveNextAsync(); // Finishes the fourth.
        var inbox = 0L;
        var conversation = 0L;
        while (inbox < 3 || conversation < 8)
        {
            var ack = await connection.ReadDeviceAckAsync();
            Assert.InRange(ack.InboxSeq, inbox, 3);
            inbox = ack.InboxSeq;
            conversation = ack.Conversations.SingleOrDefault()?.ConversationSeq ?? conversation;
        }

        await client.DisposeAsync();
        Assert.False(await waiting);
    }

    [Fact]
    public async Task ANewConnectionIsToldAgainInCaseTheLastAckWasLost()
    {
        var client = NewClient();
        var first = await ConnectAsync(client);
        await first.SendAsync(Packets.Inbox(1, 2));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        await NextAsync(events);
        await NextAsync(events);
        Assert.Equal(1, (await first.ReadDeviceAckAsync()).InboxSeq);
        first.Cut();
        using var second = await Server.AcceptAsync();
        await second.SignInAsync();
        Assert.Equal(1, (await second.ReadDeviceAckAsync()).InboxSeq);
    }

    [Fact]
    public async Task ManyEntriesAreSavedTogether()
    {
        var time = new FakeTime();
        var store = new CountingStore();
        var client = NewClient(o =>
        {
            o.TimeProvider = time;
            o.CursorStore = store;
            o.CursorSaveEntries = 50;
        });
        using var connection = await ConnectAsync(client);
        await connection.SendAsync(Packets.Inbox(1, 52));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        for (var i = 0; i < 51; i++)
        {
            await NextAsync(events);
        }

        await Wait.Until(() => store.Saves == 1); // No time has passed: fifty were enough.
        Assert.Equal(50, store.Last.InboxSeq);
        await NextAsync(events);
        await client.DisposeAsync();
        Assert.Equal((2, 51L), (store.Saves, store.Last.InboxSeq));
    }

    [Fact]
    public async Task ASaveThatFailsIsRepeatedAndDisturbsNothing()
    {
        var store = new CountingStore { Failures = 2 };
        var client = NewClient(o => o.CursorStore = store);
        using var connection = await ConnectAsync(client);
        await connection.SendAsync(Packets.Inbox(1, 2));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        await NextAsync(events);
        await NextAsync(events);
        await Wait.Until(() => store.Saves == 1);
        Assert.Equal(1, store.Last.InboxSeq);
    }

    [Fact]
    public async Task NoDeviceAckOfAnOldGenerationIsSentToANewOne()
    {
        var store = new CountingStore();
        var client = NewClient(o => o.CursorStore = store);
        var first = await ConnectAsync(client);
        await first.SendAsync(Packets.Inbox(1, 5));
        await using var events = client.ReadAsync().GetAsyncEnumerator();
        await NextAsync(events);
        first.Cut();
        using var second = await Server.AcceptAsync();
        await second.SignInAsync(s =>
        {
            s.Reset = true;
            s.Generation = "g2";
        });
        await second.SendAsync(new ServerPacket { Snapshot = new Snapshot { InboxSeq = 70 } }, Packets.Inbox(71));
        while (await NextAsync(events) is not ImResetEvent)
        {
        }

        // An entry of the old generation is finished and saved, the reset is not finished: nothing may be told.
        await Wait.Until(() => store.Saves >= 1);
        for (var i = 0; i < 3; i++)
        {
            var marking = client.MarkReadAsync("d", 1);
            var packet = await second.ReadAsync();
            Assert.Equal(ClientPacket.PacketOneofCase.MarkRead, packet!.PacketCase);
            await second.SendAsync(new ServerPacket { RequestId = packet.RequestId, MarkedRead = new MarkedRead() });
            await marking.WaitAsync(Wait.Limit);
        }

        await NextAsync(events); // Finishes the reset.
        Assert.InRange((await second.ReadDeviceAckAsync()).InboxSeq, 70, 71);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{\"userId\":\"a\",\"generation\":\"g\",\"inboxSeq\":-1,\"conversations\":{}}")]
    [InlineData("{\"generation\":\"g\",\"inboxSeq\":1}")]
    public async Task ACursorFileThatCannotBeUnderstoodMeansNoCursors(string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(CursorFile)!);
        await File.WriteAllTextAsync(CursorFile, content);
        Assert.Equal(ImCursors.None, await new FileCursorStore(CursorFile).LoadAsync(default));
    }

    [Fact]
    public async Task AFileGivesBackWhatWasSaved()
    {
        var store = new FileCursorStore(CursorFile);
        Assert.Equal(ImCursors.None, await store.LoadAsync(default));
        var cursors = new ImCursors
        {
            UserId = "ü",
            Generation = "g",
            InboxSeq = 3,
            Conversations = ImCursors.None.Conversations.Add("g:1", new(5, 9)),
        };
        await store.SaveAsync(cursors with { InboxSeq = 2 }, default);
        await store.SaveAsync(cursors, default);
        var loaded = await store.LoadAsync(default);
        Assert.Equal(cursors.Conversations, loaded.Conversations);
        Assert.Equal(("ü", "g", 3L), (loaded.UserId, loaded.Generation, loaded.InboxSeq));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(CursorFile)!));
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private sealed class CountingStore : ICursorStore
    {
        private int _saves;

        public int Saves => Volatile.Read(ref _saves);

        public int Failures { get; set; }

        public ImCursors Last { get; private set; } = ImCursors.None;

        public ValueTask<ImCursors> LoadAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Last);

        public ValueTask SaveAsync(ImCursors cursors, CancellationToken cancellationToken)
        {
            if (Failures-- > 0)
            {
                throw new IOException("disk full");
            }

            Last = cursors;
            Interlocked.Increment(ref _saves);
            return ValueTask.CompletedTask;
        }
    }
}
