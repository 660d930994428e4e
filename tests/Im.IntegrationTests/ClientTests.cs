using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Im.Client;
using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Protocol;
using Im.Transport.Tcp;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests;

/// <summary>The C# client and the real server: what an application does every day.</summary>
public sealed class ClientTests
{
    [Theory]
    [InlineData("tcp")]
    [InlineData("ws")]
    public async Task ANewDeviceBeginsWithAResetThatShowsWhatThereIs(string transport)
    {
        await using var server = await TestServer.StartAsync();
        await using var alice = await TestDevice.ConnectAsync(server, transport, "alice");
        var first = await alice.NextAsync<ImResetEvent>();
        Assert.Empty(first.Conversations);
        Assert.Equal(0, first.InboxSeq);
        await alice.SendAsync(ImTarget.User("bob"), "hello");
        await using var bob = await TestDevice.ConnectAsync(server, transport, "bob");
        var reset = await bob.NextAsync<ImResetEvent>();
        var conversation = Assert.Single(reset.Conversations);
        Assert.Equal(1, reset.InboxSeq);
        Assert.Equal("hello", conversation.LastEntry.Content.Text);
        Assert.Equal(1, conversation.Unread);
        bob.AssertNothingMore();
    }

    [Theory]
    [InlineData("tcp", "tcp")]
    [InlineData("ws", "ws")]
    [InlineData("tcp", "ws")]
    public async Task AllDevicesGetAllEntriesInOneOrderOverAnyTransport(string transport, string other)
    {
        await using var server = await TestServer.StartAsync();
        await using var alice = await TestDevice.ConnectAsync(server, transport, "alice");
        await using var aliceToo = await TestDevice.ConnectAsync(server, other, "alice", "d2");
        await using var bob = await TestDevice.ConnectAsync(server, other, "bob");
        TestDevice[] devices = [alice, aliceToo, bob];
        foreach (var device in devices)
        {
            await device.NextAsync<ImResetEvent>();
        }

        await CreateGroupAsync(server, "g", "write", "alice", "bob");
        var acks = await Task.WhenAll(Enumerable.Range(0, 40).SelectMany(i => new[]
        {
            alice.SendAsync(ImTarget.User("bob"), $"a{i}"),
            bob.SendAsync(ImTarget.User("alice"), $"b{i}"),
            alice.SendAsync(ImTarget.Conversation("g:g"), $"g{i}"),
        }));
        Assert.All(acks, ack => Assert.Equal(SendResult.Stored, ack.Result));
        var expected = await alice.NextMessagesAsync(120);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"a{i}"), expected.Select(e => e.Entry.Content.Text).Where(t => t[0] == 'a'));
        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"b{i}"), expected.Select(e => e.Entry.Content.Text).Where(t => t[0] == 'b'));
        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"g{i}"), expected.Select(e => e.Entry.Content.Text).Where(t => t[0] == 'g'));
        foreach (var device in devices[1..])
        {
            // An inbox is its user's: bob's may have another order across conversations, not within one.
            var texts = (await device.NextMessagesAsync(120)).ToLookup(e => e.Entry.ConversationId, e => e.Entry.ConversationSeq);
            Assert.All(expected.GroupBy(e => e.Entry.ConversationId), c => Assert.Equal(c.Select(e => e.Entry.ConversationSeq), texts[c.Key]));
        }
    }

    [Theory]
    [InlineData("tcp", "write")]
    [InlineData("ws", "write")]
    [InlineData("tcp", "read")]
    [InlineData("ws", "read")]
    public async Task ADeviceThatWasAwayGetsExactlyWhatItMissed(string transport, string fanout)
    {
        var path = Path.Combine(Path.GetTempPath(), $"im-cursors-{Guid.NewGuid():N}.json");
        await using var server = await TestServer.StartAsync();
        await using var alice = await TestDevice.ConnectAsync(server, transport, "alice");
        await CreateGroupAsync(server, "g", fanout, "alice", "bob");
        try
        {
            for (var round = 0; round < 3; round++)
            {
                // Each time another client object, as after a restart of the app.
                await using var bob = await TestDevice.ConnectAsync(server, transport, "bob", configure: o => o.CursorStore = new FileCursorStore(path));
                if (round == 0)
                {
                    await bob.NextAsync<ImResetEvent>();
                }
                else
                {
                    var missed = await bob.NextTextsAsync(10);
                    Assert.Equal(Enumerable.Range(0, 5).Select(i => $"away {i}"), missed.Where(t => t[0] == 'a'));
                    Assert.Equal(Enumerable.Range(0, 5).Select(i => $"direct {i}"), missed.Where(t => t[0] == 'd'));
                }

                await alice.SendAsync(ImTarget.Conversation("g:g"), "live");
                Assert.Equal(["live"], await bob.NextTextsAsync(1));
                bob.AssertNothingMore();
                await bob.DisposeAsync();
                for (var i = 0; i < 5; i++)
                {
                    await alice.SendAsync(ImTarget.Conversation("g:g"), $"away {i}");
                    await alice.SendAsync(ImTarget.User("bob"), $"direct {i}");
                }
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("ws")]
    public async Task AGroupThatGrowsOverTheThresholdWhileAMemberIsAwayLosesNothingForIt(string transport)
    {
        await using var server = await TestServer.StartAsync(o => o.MaxWriteFanoutMembers = 3);
        var cursors = new MemoryCursorStore();
        await using var alice = await TestDevice.ConnectAsync(server, transport, "alice");
        var bob = await TestDevice.ConnectAsync(server, transport, "bob", configure: o => o.CursorStore = cursors);
        await bob.NextAsync<ImResetEvent>();
        await CreateGroupAsync(server, "g", null, "alice", "bob", "carol");
        var group = ImTarget.Conversation("g:g");
        await alice.SendAsync(group, "0");
        Assert.Equal(["0"], await bob.NextTextsAsync(1));
        await bob.DisposeAsync();

        await alice.SendAsync(group, "1");
        await server.Im.Groups.AddMembersAsync("g", ["dave", "erin"], "alice");
        Assert.Equal("read", (await server.Im.Groups.GetAsync("g"))!.Fanout);
        await alice.SendAsync(group, "2");
        await alice.SendAsync(group, "3");
        bob = await TestDevice.ConnectAsync(server, transport, "bob", configure: o => o.CursorStore = cursors);
        var missed = await bob.NextMessagesAsync(3);
        Assert.Equal(["1", "2", "3"], missed.OrderBy(m => m.Entry.ConversationSeq).Select(m => m.Entry.Content.Text));
        await bob.DisposeAsync();

        await alice.SendAsync(group, "4");
        await using var bobAgain = await TestDevice.ConnectAsync(server, transport, "bob", configure: o => o.CursorStore = cursors);
        await alice.SendAsync(group, "5");
        Assert.Equal(["4", "5"], await bobAgain.NextTextsAsync(2));
        bobAgain.AssertNothingMore();
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("ws")]
    public async Task HistoryIsReadPageByPageInBothDirections(string transport)
    {
        await using var server = await TestServer.StartAsync();
        await using var alice = await TestDevice.ConnectAsync(server, transport, "alice");
        var acks = await Task.WhenAll(Enumerable.Range(1, 25).Select(i => alice.SendAsync(ImTarget.User("bob"), $"{i}")));
        var conversation = acks[0].ConversationId;
        await using var bob = await TestDevice.ConnectAsync(server, transport, "bob");

        var back = new List<string>();
        var before = 0L;
        SyncPage page;
        do
        {
            page = await bob.Client.SyncBeforeAsync(conversation, before, maxEntries: 10).WaitAsync(TestDevice.Limit);
            Assert.InRange(page.Entries.Count, 1, 10);
            back.InsertRange(0, page.Entries.Select(e => e.Content.Text));
            before = page.Entries[0].ConversationSeq;
        }
        while (page.HasMore);

        var forth = new List<string>();
        var after = 0L;
        do
        {
            page = await bob.Client.SyncAfterAsync(conversation, after, maxEntries: 10).WaitAsync(TestDevice.Limit);
            Assert.InRange(page.Entries.Count, 1, 10);
            forth.AddRange(page.Entries.Select(e => e.Content.Text));
            after = page.Entries[^1].ConversationSeq;
        }
        while (page.HasMore);

        Assert.Equal(Enumerable.Range(1, 25).Select(i => $"{i}"), back);
        Assert.Equal(back, forth);
        var refused = await Assert.ThrowsAsync<ImClientException>(() => bob.Client.SyncBeforeAsync("g:none").WaitAsync(TestDevice.Limit));
        Assert.Equal(ImClientFailure.Refused, refused.Failure);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("ws")]
    public async Task AReadMarkReachesTheUsersOtherDeviceAsAnEntry(string transport)
    {
        await using var server = await TestServer.StartAsync();
        await using var alice = await TestDevice.ConnectAsync(server, transport, "alice");
        await using var bob = await TestDevice.ConnectAsync(server, transport, "bob");
        await using var bobToo = await TestDevice.ConnectAsync(server, transport, "bob", "d2");
        await bobToo.NextAsync<ImResetEvent>();
        var ack = await alice.SendAsync(ImTarget.User("bob"), "hello");
        Assert.Equal(["hello"], await bobToo.NextTextsAsync(1));
        Assert.Equal(1, await bob.Client.MarkReadAsync(ack.ConversationId, ack.ConversationSeq).WaitAsync(TestDevice.Limit));
        var entry = await bobToo.NextAsync<ImEntryEvent>();
        Assert.Equal(ack.ConversationId, entry.Entry.ReadMarkMoved.ConversationId);
        Assert.Equal(1, entry.Entry.ReadMarkMoved.ConversationSeq);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("ws")]
    public async Task ANonPersistentMessageIsASignalAndLeavesNothingBehind(string transport)
    {
        await using var server = await TestServer.StartAsync();
        await using var alice = await TestDevice.ConnectAsync(server, transport, "alice");
        await using var bob = await TestDevice.ConnectAsync(server, transport, "bob");
        await bob.NextAsync<ImResetEvent>();
        var typing = new ImMessage
        {
            Target = ImTarget.User("bob"),
            Content = new Content { ContentType = "command", Text = "typing" },
            NonPersistent = true,
        };
        var ack = await alice.Client.SendAsync(typing).WaitAsync(TestDevice.Limit);
        Assert.Equal((SendResult.Relayed, 0L), (ack.Result, ack.ConversationSeq));
        var signal = await bob.NextAsync<ImSignalEvent>();
        Assert.Equal("typing", signal.Signal.Message.Content.Text);
        await alice.SendAsync(ImTarget.User("bob"), "hello");
        Assert.Equal(1, (await bob.NextAsync<ImEntryEvent>()).Seq);
    }

    [Fact]
    public async Task TcpWithTls()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var server = await TestServer.StartAsync(build: im => im.AddTcpTransport(o => o.Endpoints.Add(
            new TcpEndpointOptions { Address = IPAddress.Loopback, Port = 0, Certificate = certificate })));
        var endpoint = server.Services.GetRequiredService<ITcpTransportEndpoints>().BoundEndpoints[1];
        await using var alice = await TestDevice.ConnectAsync(server, "tcp", "alice", configure: o =>
        {
            o.Server = new Uri($"tls://{endpoint}");
            o.ConfigureTls = tls => tls.RemoteCertificateValidationCallback =
                (_, remote, _, _) => remote!.GetCertHashString() == certificate.GetCertHashString();
        });
        await alice.NextAsync<ImResetEvent>();
        var text = new string('x', 50_000);
        await alice.SendAsync(ImTarget.User("bob"), text);
        Assert.Equal([text], await alice.NextTextsAsync(1));
    }

    private static async Task CreateGroupAsync(TestServer server, string id, string? fanout, params string[] members) =>
        await server.Im.Groups.CreateAsync(new NewGroup
        {
            GroupId = id,
            Info = new Model.GroupInfo("Group"),
            MemberIds = members,
            ActorId = members[0],
            Fanout = fanout,
        });
}
