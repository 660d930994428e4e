using System.Collections.Immutable;
using Im.Cluster.InMemory;
using Im.Conversations;
using Im.Fanout;
using Im.Model;
using Im.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Im.Core.Tests.Conversations;

/// <summary>What the cache of conversations keeps when loads overlap.</summary>
public sealed class ConversationCacheTests
{
    [Fact]
    public async Task ALoadThatEndsBehindANewerOneDoesNotTakeItsPlace()
    {
        var limit = TimeSpan.FromSeconds(20);
        var store = new HeldStore();
        var options = Options.Create(new ImServerOptions());
        var shared = new InMemoryGroupMemberCache(capacity: 0);
        var filler = new GroupMemberFiller(store, shared, options, NullLogger<GroupMemberFiller>.Instance);
        var members = new LargeGroupMembers(store, shared, filler, TimeProvider.System, options, NullLogger<LargeGroupMembers>.Instance);
        var cache = new ConversationCache(store, members, new FanoutStrategies([new WriteFanout(), new ReadFanout()]), options);
        var older = cache.ReloadAsync("g:g", default).AsTask();
        var newer = cache.ReloadAsync("g:g", default).AsTask();
        store.Loads[1].SetResult(2);
        Assert.Equal(2, (await newer.WaitAsync(limit))!.Version);
        store.Loads[0].SetResult(1);
        Assert.Equal(2, (await older.WaitAsync(limit))!.Version);
        Assert.Equal(2, cache.Find("g:g")!.Version);
    }

    /// <summary>Each load waits for the version that the test gives it.</summary>
    private sealed class HeldStore : IGroupStore
    {
        public List<TaskCompletionSource<long>> Loads { get; } = [];

        public async ValueTask<IReadOnlyList<StoredGroup?>> GetGroupsAsync(
            IReadOnlyList<string> conversationIds, int maxMembers, CancellationToken cancellationToken)
        {
            var load = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            Loads.Add(load);
            var version = await load.Task;
            ImmutableArray<string> members = ["alice", "bob"];
            return [new StoredGroup("g:g", new GroupInfo("g"), version, FanoutNames.Write, false, false, members.Length, members)];
        }

        public ValueTask<FoundMembers?> FindMembersAsync(string conversationId, IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<MemberPage?> ReadMembersAsync(string conversationId, string? afterUserId, int limit, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
