using Im.Client;
using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Storage.InMemory;
using Microsoft.Extensions.DependencyInjection;
using GroupInfo = Im.Model.GroupInfo;

namespace Im.IntegrationTests.Failures;

/// <summary>What clients see while the store is in trouble: errors where nothing is promised, live connections, and everything once it is back.</summary>
public sealed class StoreFailureTests
{
    // Trap 22, and the service returns by itself: what was acked is there, once, in each sender's order.
    [Fact]
    public async Task WhatIsSentWhileTheStoreIsDownArrivesOnceItIsBack()
    {
        await using var server = await StartAsync(options => options.MaxSendsPerSecond = 100_000);
        var storage = Storage(server);
        await using var bob = await TestDevice.ConnectAsync(server, "tcp", "bob");
        await bob.NextAsync<ImResetEvent>();
        var senders = new List<TestDevice>();
        foreach (var (user, transport) in new[] { ("ann", "tcp"), ("cid", "ws") })
        {
            senders.Add(await TestDevice.ConnectAsync(server, transport, user, read: false));
        }

        var connections = server.Im.Sessions.ConnectionCount;
        var sends = new List<Task<ImSendAck>>();
        for (var i = 0; i < 200; i++)
        {
            if (i == 60)
            {
                storage.GoDown();
            }

            foreach (var sender in senders)
            {
                sends.Add(sender.Client.SendTextAsync(ImTarget.User("bob"), $"{i:000}"));
            }

            if (i is 60 or 100)
            {
                await Wait.ForAsync(() => server.Metrics["im.commit.failures unavailable"] > i / 50, "a failed commit");
            }
        }

        storage.ComeBack();
        await Task.WhenAll(sends).InTimeAsync();
        var messages = await bob.NextMessagesAsync(400);
        foreach (var sender in new[] { "ann", "cid" })
        {
            var texts = messages.Where(message => message.Entry.SenderId == sender).Select(message => message.Entry.Content.Text);
            Assert.Equal(Enumerable.Range(0, 200).Select(i => $"{i:000}"), texts);
        }

        Assert.Equal(connections, server.Im.Sessions.ConnectionCount);
        Assert.All(senders, sender => Assert.Equal(1, sender.SignIns));
        foreach (var sender in senders)
        {
            await sender.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(ImStorageFailure.Unavailable)]
    [InlineData(ImStorageFailure.Full)]
    [InlineData(ImStorageFailure.ReadOnly)]
    public async Task ASendThatCannotBeStoredGetsAnErrorAndTheConnectionLives(ImStorageFailure failure)
    {
        await using var server = await StartAsync();
        await using var ann = await server.SignInAsync(Wire.Tcp, "ann");
        Storage(server).WritesFail = new ImStorageException("/var/secret/im.db is full", null, failure);
        var error = await ann.AskForErrorAsync(Send("bob", "1"), ImErrorCode.StorageUnavailable);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        await ann.PingAsync();
        Storage(server).ComeBack();
        Assert.Equal(SendResult.Stored, (await ann.AskAsync(Send("bob", "1"))).SendAck.Result);
    }

    // Whoever's message the database cannot take, others must not pay for it.
    [Fact]
    public async Task AMessageThatTheStoreRefusesDisturbsNoStranger()
    {
        await using var server = await StartAsync();
        var storage = Storage(server);
        storage.BeforeAppend = batch =>
            batch.Items.Any(item => item.ClientMessageId.StartsWith("poison", StringComparison.Ordinal))
                ? new ImStorageException("no", null, ImStorageFailure.Refused)
                : null;
        var results = await server.Im.Messages.SendAsync(
        [
            .. Enumerable.Range(0, 300).Select(i => new OutgoingMessage
            {
                SenderId = $"user{i % 7}",
                ToUserId = "bob",
                ClientMessageId = (i is 100 or 250 ? "poison" : "m") + i,
                Content = MessageContent.FromText($"{i}"),
            }),
        ]).AsTask().InTimeAsync();
        for (var i = 0; i < results.Count; i++)
        {
            Assert.Equal(i is 100 or 250 ? ImErrorCode.StorageRefused : ImErrorCode.None, results[i].Code);
        }

        foreach (var sender in results.Where(result => result.Code == ImErrorCode.None).GroupBy(result => result.ConversationId))
        {
            Assert.Equal(sender.Select(result => result.Seq.Value).Order(), sender.Select(result => result.Seq.Value));
        }

        Assert.InRange(storage.Appends, 10, 80);
    }

    // A database without its tables refuses everything; then it is not the message.
    [Fact]
    public async Task AStoreThatRefusesEverythingIsInTroubleItself()
    {
        await using var server = await StartAsync();
        Storage(server).WritesFail = new ImStorageException("no", null, ImStorageFailure.Refused);
        await using var ann = await server.SignInAsync(Wire.Tcp, "ann");
        await ann.AskAsync(Send("bob", "1"));
        await ann.AskForErrorAsync(Send("bob", "2"), ImErrorCode.StorageUnavailable);
        Storage(server).ComeBack();
        Assert.Equal(SendResult.Stored, (await ann.AskAsync(Send("bob", "2"))).SendAck.Result);
    }

    // Nothing is acked, nothing is lost: live sessions find what was committed all the same, and the resend gets the original ack.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnUnknownOutcomeIsFoundBySessionsAndBySenders(bool isCommitted)
    {
        await using var server = await StartAsync();
        var storage = Storage(server);
        await using var ann = await server.SignInAsync(Wire.Tcp, "ann");
        await using var bob = await TestDevice.ConnectAsync(server, "ws", "bob");
        await bob.NextAsync<ImResetEvent>();
        Assert.Equal(SendResult.Stored, (await ann.AskAsync(Send("bob", "0"))).SendAck.Result);

        var unknown = new ImStorageException("lost the connection while committing", null, ImStorageFailure.OutcomeUnknown);
        storage.BeforeAppend = _ => isCommitted ? null : unknown;
        storage.AfterAppend = _ =>
        {
            // For a while it does not answer at all.
            storage.GoDown();
            return unknown;
        };
        await ann.AskForErrorAsync(Send("bob", "1"), ImErrorCode.StorageUnavailable);
        storage.BeforeAppend = storage.AfterAppend = null;
        await Wait.ForAsync(() => !isCommitted || storage.FailedReads > 2, "the sessions' search");
        storage.ComeBack();
        if (isCommitted)
        {
            Assert.Equal(["0", "1"], await bob.NextTextsAsync(2));
        }

        Assert.Equal(isCommitted ? SendResult.Duplicate : SendResult.Stored, (await ann.AskAsync(Send("bob", "1"))).SendAck.Result);
        Assert.Equal(SendResult.Stored, (await ann.AskAsync(Send("bob", "2"))).SendAck.Result);
        Assert.Equal(isCommitted ? ["2"] : ["0", "1", "2"], await bob.NextTextsAsync(isCommitted ? 1 : 3));
        Assert.Equal(1, bob.SignIns);
    }

    // Privacy: a removal that nobody was told of must not leave the removed user's devices listening.
    [Fact]
    public async Task WhoWasRemovedByACommitOfUnknownOutcomeHearsNoMore()
    {
        await using var server = await StartAsync();
        var storage = Storage(server);
        await server.Im.Groups.CreateAsync(new NewGroup
        {
            GroupId = "g", Info = new GroupInfo("g"), MemberIds = ["ann", "bob"], ActorId = "ann", Fanout = "read",
        });
        await using var bob = await TestDevice.ConnectAsync(server, "tcp", "bob");
        await bob.NextAsync<ImResetEvent>();
        storage.AfterAppend = _ => new ImStorageException("?", null, ImStorageFailure.OutcomeUnknown);
        await Assert.ThrowsAsync<ImException>(() => server.Im.Groups.RemoveMembersAsync("g", ["bob"], "ann").AsTask());
        storage.AfterAppend = null;
        await Wait.ForAsync(() => !Follows(server, "bob", "g:g"), "the end of bob's timeline");
        var secret = new OutgoingMessage { SenderId = "ann", ConversationId = "g:g", Content = MessageContent.FromText("secret") };
        (await server.Im.Messages.SendAsync(secret)).EnsureAccepted();
        var direct = new OutgoingMessage { SenderId = "ann", ToUserId = "bob", Content = MessageContent.FromText("bye") };
        (await server.Im.Messages.SendAsync(direct)).EnsureAccepted();
        Assert.Equal(["bye"], await bob.NextTextsAsync(1));
    }

    [Fact]
    public async Task TheHeadCheckFindsWhatWasNeverDelivered()
    {
        await using var server = await StartAsync(options => options.HeadCheckInterval = TimeSpan.FromMilliseconds(100));
        await server.Im.Groups.CreateAsync(new NewGroup
        {
            GroupId = "g", Info = new GroupInfo("g"), MemberIds = ["ann", "bob"], ActorId = "ann", Fanout = "read",
        });
        await using var bob = await TestDevice.ConnectAsync(server, "tcp", "bob");
        await bob.NextAsync<ImResetEvent>();

        // Another node's commits, of which this one hears nothing.
        var other = new InMemoryMessageStore(Storage(server).State);
        await other.AppendAsync(StoreItems.Batch(StoreItems.Message(ConversationId.Direct("ann", "bob"), "ann", 0, "inbox", "ann", "bob")), default);
        await other.AppendAsync(StoreItems.Batch(StoreItems.Message("g:g", "ann", 1, "conversation")), default);
        var texts = await bob.NextTextsAsync(2);
        Assert.Equal(["conversation", "inbox"], texts.Order());
        Assert.Equal(1, bob.SignIns);
    }

    [Fact]
    public async Task ReadsThatFailAreAnsweredOrTriedAgain()
    {
        await using var server = await StartAsync(options => options.RecentEntriesBytes = 0);
        var storage = Storage(server);
        await using var ann = await server.SignInAsync(Wire.Tcp, "ann");
        await using var bob = await TestDevice.ConnectAsync(server, "tcp", "bob");
        await bob.NextAsync<ImResetEvent>();
        await ann.AskAsync(Send("bob", "0"));
        Assert.Equal(["0"], await bob.NextTextsAsync(1));

        // Bob is behind and cannot be read for.
        storage.ReadsFail = new ImStorageException("down");
        Session(server, "bob").NoticeHead(new(Timelines.TimelineKind.Inbox, "bob"), 2);
        await Wait.ForAsync(() => server.Metrics["im.catch_up.retries"] > 2, "retries");
        await ann.AskAsync(Send("bob", "1"));
        var conversation = ConversationId.Direct("ann", "bob");
        await ann.AskForErrorAsync(new ClientPacket { Sync = new Protocol.Sync { Inbox = new SyncInbox() } }, ImErrorCode.StorageUnavailable);
        await ann.AskForErrorAsync(
            new ClientPacket { Sync = new Protocol.Sync { Conversation = new SyncConversation { ConversationId = conversation } } }, ImErrorCode.StorageUnavailable);
        await using var late = await server.ConnectAsync(Wire.Tcp);
        await late.WriteAsync(new ClientPacket { SignIn = new SignIn { Token = "bob", DeviceId = "d2" } });
        await late.ReadToCloseAsync(ImCloseCode.StorageUnavailable);

        storage.ComeBack();
        Assert.Equal(["1"], await bob.NextTextsAsync(1));
        Assert.Equal(1, bob.SignIns);
    }

    private static bool Follows(TestServer server, string userId, string conversationId)
    {
        var rented = server.Services.GetRequiredService<Connections.ConversationReaders>().Rent(conversationId, out var count);
        return rented is not null && rented.AsSpan(0, count).ToArray().Any(session => session.UserId == userId);
    }

    private static Connections.Session Session(TestServer server, string userId) =>
        server.Connections.All.Select(connection => connection.Session).Single(session => session?.UserId == userId)!;

    private static ClientPacket Send(string to, string id) => new()
    {
        Send = new Send { UserId = to, ClientMessageId = id, Content = new Content { ContentType = "text", Text = id } },
    };

    private static TroubledStorage Storage(TestServer server) => server.Services.GetRequiredService<TroubledStorage>();

    private static Task<TestServer> StartAsync(Action<ImServerOptions>? configure = null) => TestServer.StartAsync(configure, TroubledStorage.Use);
}
