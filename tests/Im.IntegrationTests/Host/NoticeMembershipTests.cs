using System.Collections.Concurrent;
using Im.Diagnostics;
using Im.IntegrationTests.Support;
using Im.Messaging;
using Im.Model;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.Host;

/// <summary>Whom an offline notice names is decided by the message's place among the changes of members, as its delivery is.</summary>
public sealed class NoticeMembershipTests
{
    [Fact]
    public async Task WhoJoinsBehindAMessageInItsBatchIsNotNotifiedOfIt()
    {
        await using var server = await TestServer.StartAsync(build: im => im.AddOfflineNotifier<Recorder>());
        await server.Im.Groups.CreateAsync(new() { GroupId = "g", Info = new GroupInfo("g"), MemberIds = ["alice", "bob"], ActorId = "alice" });
        var hi = new OutgoingMessage { SenderId = "alice", ConversationId = "g:g", Content = MessageContent.FromText("hi") };
        Task<ImSendResult> first, second;
        Task join;
        using (var gate = new Gate(server.Checkpoints, Checkpoint.BeforeAppend))
        {
            // The second message and the change gather while the first one is held.
            first = server.Im.Messages.SendAsync(hi).AsTask();
            await gate.ReachedAsync();
            second = server.Im.Messages.SendAsync(hi).AsTask();
            join = server.Im.Groups.AddMembersAsync("g", ["cid"], "alice").AsTask();
            gate.Release();
        }

        await Task.WhenAll(first, second, join).InTimeAsync();
        var recorder = server.Services.GetServices<IOfflineNotifier>().OfType<Recorder>().Single();
        await Wait.ForAsync(() => recorder.Notices.Count >= 2, "two notices");
        Assert.All(recorder.Notices, notice => Assert.Equal(["bob"], notice.UserIds));
    }

    private sealed class Recorder : IOfflineNotifier
    {
        public ConcurrentQueue<OfflineNotice> Notices { get; } = new();

        public ValueTask NotifyAsync(IReadOnlyList<OfflineNotice> notices, CancellationToken cancellationToken)
        {
            foreach (var notice in notices)
            {
                Notices.Enqueue(notice);
            }

            return ValueTask.CompletedTask;
        }
    }
}
