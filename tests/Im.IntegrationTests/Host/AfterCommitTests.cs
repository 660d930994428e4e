using System.Collections.Concurrent;
using Im.IntegrationTests.Support;
using Im.Messaging;
using Im.Model;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.Host;

/// <summary>What handlers are told after the commit.</summary>
public sealed class AfterCommitTests
{
    [Fact]
    public async Task AnOfflineNotifierIsToldOnceWhoWasNotConnectedAndNeverTheSender()
    {
        await using var server = await TestServer.StartAsync(build: im => im.AddOfflineNotifier<Recorder>().AddMessageInterceptor<Recorder>());
        var (cid, _) = await WireClient.SignInAsync(server.TcpEndpoint, "cid");
        await server.Im.Groups.CreateAsync(new() { GroupId = "g", Info = new GroupInfo("g"), MemberIds = ["alice", "bob", "cid"], ActorId = "alice" });
        var message = new OutgoingMessage { SenderId = "alice", ConversationId = "g:g", ClientMessageId = "1", Content = MessageContent.FromText("hi") };
        await server.Im.Messages.SendAsync(message);
        await server.Im.Messages.SendAsync(message);
        await server.Im.Messages.SendAsync(message with { ConversationId = null, ToUserId = "cid", ClientMessageId = "2" });
        await server.Im.Messages.SendAsync(message with { ClientMessageId = "3", NonPersistent = true });
        await server.Im.Messages.SendAsync(message with { ClientMessageId = "4" });

        var recorder = server.Services.GetServices<IOfflineNotifier>().OfType<Recorder>().Single();
        await Wait.ForAsync(() => recorder.Notices.Count >= 2, "two notices");
        Assert.All(recorder.Notices, notice => Assert.Equal(["bob"], notice.UserIds));
        Assert.Equal([("g:g", 2L, "alice", "hi"), ("g:g", 3L, "alice", "hi")], recorder.Notices.Select(notice => (notice.ConversationId, notice.Seq, notice.SenderId, notice.Content.Text)));

        var interceptor = server.Services.GetServices<IMessageInterceptor>().OfType<Recorder>().Single();
        await Wait.ForAsync(() => interceptor.Stored.Count >= 3, "three stored messages");
        Assert.Equal(["1", "2", "4"], interceptor.Stored.Select(stored => stored.ClientMessageId));
        await cid.DisposeAsync();
    }

    [Fact]
    public async Task AHandlerThatFailsIsLoggedAndHoldsNothingBack()
    {
        await using var server = await TestServer.StartAsync(build: im => im.AddOfflineNotifier<Broken>());
        for (var i = 0; i < 3; i++)
        {
            var result = await server.Im.Messages.SendAsync(new OutgoingMessage { SenderId = "alice", ToUserId = "bob", Content = MessageContent.FromText("hi") });
            Assert.Equal(ImSendOutcome.Stored, result.Outcome);
        }

        await Wait.ForAsync(() => server.Logs.Errors.Count == 3, "three logged failures");
        Assert.All(server.Logs.Errors, error => Assert.Contains("The notifier is broken.", error, StringComparison.Ordinal));
    }

    private sealed class Recorder : IOfflineNotifier, IMessageInterceptor
    {
        public ConcurrentQueue<OfflineNotice> Notices { get; } = new();

        public ConcurrentQueue<InterceptedMessage> Stored { get; } = new();

        public ValueTask NotifyAsync(IReadOnlyList<OfflineNotice> notices, CancellationToken cancellationToken)
        {
            foreach (var notice in notices)
            {
                Notices.Enqueue(notice);
            }

            return ValueTask.CompletedTask;
        }

        public ValueTask<InterceptionResult> BeforeStoreAsync(InterceptedMessage message, CancellationToken cancellationToken) =>
            ValueTask.FromResult(InterceptionResult.Continue);

        public ValueTask AfterStoreAsync(IReadOnlyList<InterceptedMessage> messages, CancellationToken cancellationToken)
        {
            foreach (var message in messages)
            {
                Stored.Enqueue(message);
            }

            return ValueTask.CompletedTask;
        }
    }

    private sealed class Broken : IOfflineNotifier
    {
        public ValueTask NotifyAsync(IReadOnlyList<OfflineNotice> notices, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("The notifier is broken.");
    }
}
