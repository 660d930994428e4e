using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.Host;

/// <summary>History ends where the reader's stay ends, also when that is while it is read.</summary>
public sealed class HistoryMembershipTests
{
    [Fact]
    public async Task WhoIsRemovedWhileHistoryIsReadDoesNotSeeWhatFollows()
    {
        await using var server = await TestServer.StartAsync(build: im => im.Services.AddSingleton<IConversationStore>(
            services => new HookedStore(new Im.Storage.InMemory.InMemoryConversationStore(services.GetRequiredService<Im.Storage.InMemory.InMemoryState>()))));
        await server.Im.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new GroupInfo("g"), MemberIds = ["alice", "bob"], ActorId = "alice" });
        await SayAsync(server, "before");
        ((HookedStore)server.Services.GetRequiredService<IConversationStore>()).AfterMemberships = async () =>
        {
            await server.Im.Groups.RemoveMembersAsync("g", ["bob"], "alice");
            await SayAsync(server, "after");
        };

        var history = await server.Im.Conversations.ReadHistoryAsync("bob", "g:g").AsTask().InTimeAsync();
        Assert.DoesNotContain(history, entry => entry.Content?.Text == "after");
        Assert.Contains(history, entry => entry.Content?.Text == "before");
    }

    private static async Task SayAsync(TestServer server, string text) =>
        (await server.Im.Messages.SendAsync(new OutgoingMessage { SenderId = "alice", ConversationId = "g:g", Content = MessageContent.FromText(text) }))
            .EnsureAccepted();

    /// <summary>Lets something happen once, after memberships were read and before the reader gets them.</summary>
    private sealed class HookedStore(IConversationStore inner) : IConversationStore
    {
        public Func<Task>? AfterMemberships { get; set; }

        public async ValueTask<IReadOnlyList<Membership>> GetMembershipsAsync(string userId, string conversationId, CancellationToken cancellationToken)
        {
            var memberships = await inner.GetMembershipsAsync(userId, conversationId, cancellationToken);
            if (AfterMemberships is { } hook)
            {
                AfterMemberships = null;
                await hook();
            }

            return memberships;
        }

        public ValueTask<IReadOnlyList<ReadTimeline>> GetReadTimelinesAsync(
            string userId, IReadOnlyList<string> known, InboxSeq after, CancellationToken cancellationToken) =>
            inner.GetReadTimelinesAsync(userId, known, after, cancellationToken);

        public ValueTask<IReadOnlyList<UserConversation>> ListAsync(
            string userId, string? afterConversationId, int limit, CancellationToken cancellationToken) =>
            inner.ListAsync(userId, afterConversationId, limit, cancellationToken);

        public ValueTask<IReadOnlyList<UserConversation?>> GetAsync(
            string userId, IReadOnlyList<string> conversationIds, CancellationToken cancellationToken) =>
            inner.GetAsync(userId, conversationIds, cancellationToken);

        public ValueTask<InboxSnapshot> GetSnapshotAsync(string userId, CancellationToken cancellationToken) =>
            inner.GetSnapshotAsync(userId, cancellationToken);
    }
}
