using System.Collections.Concurrent;
using Im.Cluster;
using Im.Cluster.InMemory;
using Im.Conversations;
using Im.Fanout;
using Im.Groups;
using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Storage.InMemory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using GroupInfo = Im.Model.GroupInfo;

namespace Im.Core.Tests.Groups;

/// <summary>Groups whose members are not in memory, with limits so small that a few dozen users are many.</summary>
public sealed class LargeGroupTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task ALargeGroupIsCreatedInSeveralChangesAndItsCreatorIsInTheFirst()
    {
        await using var server = await Server.StartAsync();
        var users = Users(35);
        var group = await server.CreateAsync("g", users, actor: users[^1]);

        Assert.Equal((35, 4L, FanoutNames.Read), (group.MemberCount, group.Version, group.Fanout));
        var entries = await server.EntriesAsync("g");
        Assert.Equal([EntryKind.GroupCreated, EntryKind.MembersChanged, EntryKind.MembersChanged, EntryKind.MembersChanged], entries.Select(entry => entry.Kind));
        Assert.Equal([.. users[..9], users[^1]], Entry.Parser.ParseFrom(entries[0].Body.Span).GroupCreated.Members);
        Assert.Equal(users, await server.Im.Groups.ListMembersAsync("g", null, 100));
        Assert.Equal(users[10..15], await server.Im.Groups.ListMembersAsync("g", users[9], 5));
        Assert.Equal(0, server.Store.MostMembersAbove(10));
    }

    [Fact]
    public async Task ALargeGroupIsDissolvedInSeveralChangesAndEachMemberIsToldOnce()
    {
        await using var server = await Server.StartAsync();
        var users = Users(55);
        await server.CreateAsync("g", users);
        var before = (await server.EntriesAsync("g")).Length;
        await server.Im.Groups.DissolveAsync("g", "$host").AsTask().WaitAsync(Patience);
        await server.Im.Groups.DissolveAsync("g", "$host").AsTask().WaitAsync(Patience);

        var group = (await server.Im.Groups.GetAsync("g"))!;
        Assert.Equal((true, 0), (group.IsDissolved, group.MemberCount));
        var told = (await server.EntriesAsync("g"))[before..];
        Assert.Equal([EntryKind.GroupDissolved, EntryKind.GroupDissolved, EntryKind.GroupDissolved], told.Select(entry => entry.Kind));
        foreach (var user in users)
        {
            var inbox = (await server.Messages.ReadInboxesAsync([new InboxRead(user, default, 100)], default))[0];
            Assert.Single(inbox.Runs, run => run.First >= told[0].Seq);
            Assert.Empty((await server.Conversations.GetSnapshotAsync(user, default)).Conversations);
        }
    }

    [Fact]
    public async Task FanoutOnWriteIsRefusedAboveItsLimit()
    {
        await using var server = await Server.StartAsync();
        var users = Users(21);
        await RefusedAsync(server.CreateAsync("g", users, fanout: FanoutNames.Write));
        await server.CreateAsync("g", users);
        await RefusedAsync(server.Im.Groups.SetFanoutAsync("g", FanoutNames.Write, "$host").AsTask());
        await server.CreateAsync("h", users[..20], fanout: FanoutNames.Write);
        await RefusedAsync(server.Im.Groups.AddMembersAsync("h", [users[20]], "$host").AsTask());
        Assert.Equal(FanoutNames.Read, (await server.Im.Groups.SetFanoutAsync("h", FanoutNames.Read, "$host")).Fanout);
        Assert.Equal(21, (await server.Im.Groups.AddMembersAsync("h", [users[20]], "$host")).MemberCount);

        static async Task RefusedAsync(Task change) =>
            Assert.Equal(ImErrorCode.TooManyMembers, (await Assert.ThrowsAsync<ImException>(() => change.WaitAsync(Patience))).Code);
    }

    [Fact]
    public async Task ASwitchTellsEachMemberOfAGroupThatIsNotInMemory()
    {
        await using var server = await Server.StartAsync();
        var users = Users(15);
        await server.CreateAsync("g", users);
        var written = await server.Im.Groups.SetFanoutAsync("g", FanoutNames.Write, "$host").AsTask().WaitAsync(Patience);
        var message = await server.SendAsync(users[3]);
        var read = await server.Im.Groups.SetFanoutAsync("g", FanoutNames.Read, "$host").AsTask().WaitAsync(Patience);
        var last = await server.SendAsync(users[3]);

        Assert.Equal((ImSendOutcome.Stored, ImSendOutcome.Stored, written.Version + 1), (message.Outcome, last.Outcome, read.Version));
        foreach (var user in users)
        {
            var inbox = (await server.Messages.ReadInboxesAsync([new InboxRead(user, default, 100)], default))[0];
            Assert.Equal([message.Seq.Value - 1, message.Seq.Value, message.Seq.Value + 1], inbox.Runs.SelectMany(run => Enumerable.Range((int)run.First.Value, run.Count)).TakeLast(3).Select(seq => (long)seq));
        }
    }

    [Fact]
    public async Task TheSharedCacheIsFilledOnceAndMovesWithEachChange()
    {
        var cache = new InMemoryGroupMemberCache(capacity: 1000);
        await using var server = await Server.StartAsync(cache: cache);
        var users = Users(35);
        var version = (await server.CreateAsync("g", users)).Version;
        Assert.Equal(ImSendOutcome.Stored, (await server.SendAsync(users[0])).Outcome);
        await HoldsAsync(version);
        var lookups = server.Store.Lookups;
        Assert.Equal(1, lookups - server.Store.LookupsOfMany);
        Assert.Equal(ImSendOutcome.Stored, (await server.SendAsync(users[1])).Outcome);

        version = (await server.Im.Groups.RemoveMembersAsync("g", [users[2]], "$host")).Version;
        await HoldsAsync(version);
        version = (await server.Im.Groups.UpdateAsync("g", new GroupInfo("new"), "$host")).Version;
        await HoldsAsync(version);
        Assert.Equal(ImErrorCode.NotAMember, (await server.SendAsync(users[2])).Code);
        Assert.Equal(ImSendOutcome.Stored, (await server.SendAsync(users[3])).Outcome);
        Assert.Equal(lookups, server.Store.Lookups);

        async Task HoldsAsync(long expected)
        {
            var deadline = DateTime.UtcNow + Patience;
            while (await cache.FindAsync("g:g", expected, [users[0]], default) is null)
            {
                Assert.True(DateTime.UtcNow < deadline, $"The cache does not hold version {expected}.");
                await Task.Delay(5);
            }
        }
    }

    [Fact]
    public async Task WhoWasLookedUpIsRememberedWhateverItDoesNext()
    {
        await using var server = await Server.StartAsync();
        var users = Users(35);
        await server.CreateAsync("g", users);
        var info = (await server.Cache.GetAsync("g:g", default))!;
        var lookups = server.Store.Lookups;
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal([true], (await server.Cache.FindMembersAsync(info, [users[3]], isLane: false, default)).IsMember);
            Assert.Equal([false], (await server.Cache.FindMembersAsync(info, ["stranger"], isLane: true, default)).IsMember);
            Assert.Equal(ImSendOutcome.Stored, (await server.SendAsync(users[3])).Outcome);
        }

        Assert.Equal(lookups + 2, server.Store.Lookups);
    }

    [Fact]
    public async Task ASharedCacheThatFailsCostsLookUpsOnly()
    {
        await using var server = await Server.StartAsync(cache: new BrokenCache());
        var users = Users(35);
        await server.CreateAsync("g", users);
        Assert.Equal(ImSendOutcome.Stored, (await server.SendAsync(users[0])).Outcome);
        Assert.Equal(ImErrorCode.NotAMember, (await server.SendAsync("stranger")).Code);
    }

    [Fact]
    public async Task EachMemberButTheSenderIsNotifiedOnce()
    {
        var notifier = new Recorder();
        await using var server = await Server.StartAsync(notifier: notifier, perChange: 1000);
        var users = Users(2_500);
        await server.CreateAsync("g", users);
        var sent = await server.SendAsync(users[7]);
        await server.SendAsync(users[8]);

        await notifier.Second.Task.WaitAsync(Patience);
        var first = notifier.Notices.Where(notice => notice.Seq == sent.Seq.Value).ToArray();
        Assert.All(first, notice => Assert.InRange(notice.UserIds.Count, 1, 1000));
        Assert.Equal(users.Where(user => user != users[7]), first.SelectMany(notice => notice.UserIds));
    }

    [Fact]
    public async Task NothingIsLostOrLeakedWhileAGroupChangesOnTwoNodes()
    {
        var state = new InMemoryState();
        await TwoNodesRules.NothingIsLostOrLeakedWhileAGroupChanges(im => im.Services.AddSingleton(state));
    }

    private static string[] Users(int count) => [.. Enumerable.Range(0, count).Select(i => $"u{i:D4}")];

    private sealed class Server(IHost host) : IAsyncDisposable
    {
        public IImServer Im => host.Services.GetRequiredService<IImServer>();

        public ConversationCache Cache => host.Services.GetRequiredService<ConversationCache>();

        public IMessageStore Messages => host.Services.GetRequiredService<IMessageStore>();

        public IConversationStore Conversations => host.Services.GetRequiredService<IConversationStore>();

        public CountingGroups Store => (CountingGroups)host.Services.GetRequiredService<IGroupStore>();

        public static async Task<Server> StartAsync(IGroupMemberCache? cache = null, IOfflineNotifier? notifier = null, int perChange = 10)
        {
            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Services.AddSingleton<IGroupStore>(services => new CountingGroups(new InMemoryGroupStore(services.GetRequiredService<InMemoryState>())));
            if (cache is not null)
            {
                builder.Services.AddSingleton(cache);
            }

            if (notifier is not null)
            {
                builder.Services.AddSingleton(notifier);
            }

            builder.Services.AddImServer(options =>
            {
                options.MaxWriteFanoutMembers = 4;
                options.MaxCachedGroupMembers = 5;
                options.MaxMembersPerChange = perChange;
                options.MaxPinnedWriteFanoutMembers = 20;
            }).AddUserProvider<TwoNodesRules.Everybody>();
            var host = builder.Build();
            await host.StartAsync().WaitAsync(Patience);
            return new Server(host);
        }

        public Task<ImGroup> CreateAsync(string id, string[] users, string? actor = null, string? fanout = null) => Im.Groups.CreateAsync(
            new NewGroup { GroupId = id, Info = new GroupInfo(id), MemberIds = users, ActorId = actor ?? users[0], Fanout = fanout }).AsTask().WaitAsync(Patience);

        public async Task<ImSendResult> SendAsync(string sender) => await Im.Messages.SendAsync(
            new OutgoingMessage { SenderId = sender, ConversationId = "g:g", Content = MessageContent.FromText("hi") }).AsTask().WaitAsync(Patience);

        public async Task<StoredEntry[]> EntriesAsync(string id)
        {
            var head = (await Messages.GetHeadsAsync([Timelines.TimelineKey.Conversation("g:" + id)], default))[0].Head;
            return [.. await Messages.ReadEntriesAsync([new Timelines.Run("g:" + id, new(1), (int)head)], int.MaxValue, default)];
        }

        public async ValueTask DisposeAsync()
        {
            await host.StopAsync().WaitAsync(Patience);
            host.Dispose();
        }
    }

    private sealed class CountingGroups(IGroupStore inner) : IGroupStore
    {
        private readonly ConcurrentQueue<int> _members = new();
        private int _lookups;
        private int _lookupsOfMany;

        public int Lookups => Volatile.Read(ref _lookups);

        public int LookupsOfMany => Volatile.Read(ref _lookupsOfMany);

        public int MostMembersAbove(int limit) => _members.Count(count => count > limit);

        public async ValueTask<IReadOnlyList<StoredGroup?>> GetGroupsAsync(
            IReadOnlyList<string> conversationIds, int maxMembers, CancellationToken cancellationToken)
        {
            var groups = await inner.GetGroupsAsync(conversationIds, maxMembers, cancellationToken);
            _members.Enqueue(groups.Max(group => group is { Members.IsDefault: false } ? group.Members.Length : 0));
            return groups;
        }

        public ValueTask<FoundMembers?> FindMembersAsync(string conversationId, IReadOnlyList<string> userIds, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _lookups);
            if (userIds.Count > 1)
            {
                Interlocked.Increment(ref _lookupsOfMany);
            }

            return inner.FindMembersAsync(conversationId, userIds, cancellationToken);
        }

        public ValueTask<MemberPage?> ReadMembersAsync(string conversationId, string? afterUserId, int limit, CancellationToken cancellationToken) =>
            inner.ReadMembersAsync(conversationId, afterUserId, limit, cancellationToken);
    }

    private sealed class Recorder : IOfflineNotifier
    {
        private readonly HashSet<long> _seqs = [];

        public ConcurrentQueue<OfflineNotice> Notices { get; } = new();

        /// <summary>A notice of a second message: all of the first are there.</summary>
        public TaskCompletionSource Second { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ValueTask NotifyAsync(IReadOnlyList<OfflineNotice> notices, CancellationToken cancellationToken)
        {
            foreach (var notice in notices)
            {
                Notices.Enqueue(notice);
                if (_seqs.Add(notice.Seq) && _seqs.Count == 2)
                {
                    Second.TrySetResult();
                }
            }

            return ValueTask.CompletedTask;
        }
    }

    private sealed class BrokenCache : IGroupMemberCache
    {
        public ValueTask<IReadOnlyList<bool>?> FindAsync(string conversationId, long version, IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            throw new ImClusterException("Away.");

        public ValueTask ChangeAsync(string conversationId, long fromVersion, IReadOnlyList<string> added, IReadOnlyList<string> removed, CancellationToken cancellationToken) =>
            throw new ImClusterException("Away.");

        public ValueTask<bool> BeginFillAsync(string conversationId, long version, string filler, CancellationToken cancellationToken) =>
            throw new ImClusterException("Away.");

        public ValueTask AddAsync(string conversationId, long version, string filler, IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            throw new ImClusterException("Away.");

        public ValueTask<bool> CompleteFillAsync(string conversationId, long version, string filler, CancellationToken cancellationToken) =>
            throw new ImClusterException("Away.");

        public ValueTask ForgetAsync(string conversationId, CancellationToken cancellationToken) => throw new ImClusterException("Away.");
    }
}
