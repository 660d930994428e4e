using System.Collections.Concurrent;
using System.Diagnostics;
using Im.IntegrationTests.Support;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.Host;

/// <summary>What operators see: traces from the client's packet to the ack, and one log line for a failure.</summary>
public sealed class DiagnosticsTests
{
    [Fact]
    public async Task ASendIsTracedFromTheClientsPacketToItsAck()
    {
        var ended = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Im.Server",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var server = await TestServer.StartAsync();
        var (alice, _) = await WireClient.SignInAsync(server.TcpEndpoint, "alice");
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        var ack = await alice.AskAsync(new ClientPacket
        {
            RequestId = 77,
            Traceparent = $"00-{trace}-00f067aa0ba902b7-01",
            Send = new Send { ClientMessageId = "1", UserId = "bob", Content = new Content { ContentType = "text", Text = "traced" } },
        });
        Assert.Equal((77u, SendResult.Stored), (ack.RequestId, ack.SendAck.Result));

        await Wait.ForAsync(() => ended.Any(activity => activity.TraceId.ToHexString() == trace), "the send's activity to end");
        var send = ended.Single(activity => activity.TraceId.ToHexString() == trace);
        Assert.Equal(("im.send", "00f067aa0ba902b7", "alice", 77u), (send.OperationName, send.ParentSpanId.ToHexString(), send.GetTagItem("im.user_id"), send.GetTagItem("im.request_id")));
        await Wait.ForAsync(() => ended.Any(activity => activity.OperationName == "im.commit" && activity.Links.Any(link => link.Context.TraceId == send.TraceId)), "the commit's activity to end");
        await alice.DisposeAsync();
    }

    [Fact]
    public async Task AnUnexpectedExceptionIsLoggedOnceWithItsStackAndTheClientGetsACodeAndTheRequestId()
    {
        await using var server = await TestServer.StartAsync(build: im => im.Services.AddSingleton<IConversationStore, BrokenStore>());
        var (alice, _) = await WireClient.SignInAsync(server.TcpEndpoint, "alice", signIn: new SignIn { Generation = await server.Services.GetRequiredService<IMessageStore>().GetGenerationAsync(default) });
        var error = await alice.AskForErrorAsync(
            new ClientPacket { RequestId = 4711, MarkRead = new MarkRead { ConversationId = "g:g", ConversationSeq = 1 } }, ImErrorCode.Internal);
        Assert.Contains("4711", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        var logged = Assert.Single(server.Logs.Errors);
        Assert.Contains("4711", logged, StringComparison.Ordinal);
        Assert.Contains("secret detail", logged, StringComparison.Ordinal);
        Assert.Contains(nameof(BrokenStore), logged, StringComparison.Ordinal);
        await alice.PingAsync();
        await alice.DisposeAsync();
    }

    private sealed class BrokenStore : IConversationStore
    {
        public ValueTask<IReadOnlyList<ReadTimeline>> GetReadTimelinesAsync(
            string userId, IReadOnlyList<string> known, InboxSeq after, CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<ReadTimeline>>([]);

        public ValueTask<IReadOnlyList<Membership>> GetMembershipsAsync(string userId, string conversationId, CancellationToken cancellationToken) => throw Failure();

        public ValueTask<IReadOnlyList<UserConversation>> ListAsync(string userId, string? afterConversationId, int limit, CancellationToken cancellationToken) => throw Failure();

        public ValueTask<IReadOnlyList<UserConversation?>> GetAsync(string userId, IReadOnlyList<string> conversationIds, CancellationToken cancellationToken) => throw Failure();

        public ValueTask<InboxSnapshot> GetSnapshotAsync(string userId, CancellationToken cancellationToken) => throw Failure();

        private static InvalidOperationException Failure() => new("A secret detail.");
    }
}
