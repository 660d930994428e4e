using System.Collections.Concurrent;
using Im.Cluster.InMemory;
using Im.Conversations;
using Im.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Im.Core.Tests.Groups;

/// <summary>How the shared cache of a large group's members comes to hold them, and what it never holds.</summary>
public sealed class GroupMemberFillerTests
{
    private const string Group = "g:all";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task AFillReadsAllPagesAndHoldsAllMembers()
    {
        var store = new PagedGroups(2_500);
        var cache = new InMemoryGroupMemberCache(capacity: 10_000);
        await RunAsync(store, cache, filler => filler.WantFill(Group, 7));
        Assert.Equal([null, "m0999", "m1999"], store.Pages);
        Assert.Equal([true, true, false], await cache.FindAsync(Group, 7, ["m0000", "m2499", "m2500"], default));
    }

    [Fact]
    public async Task AFillEndsWhereTheGroupChangesDuringIt()
    {
        var store = new PagedGroups(2_500) { ChangesAfterPages = 1 };
        var cache = new InMemoryGroupMemberCache(capacity: 10_000);
        await RunAsync(
            store,
            cache,
            filler =>
            {
                filler.WantFill(Group, 7);
                filler.WantFill(Group, 8);
            });
        Assert.Equal([null, "m0999", null, "m0999", "m1999"], store.Pages);
        Assert.Null(await cache.FindAsync(Group, 7, ["m0000"], default));
        Assert.Equal([true], await cache.FindAsync(Group, 8, ["m2499"], default));
    }

    [Fact]
    public async Task ManyWhoWantTheSameFillGetOne()
    {
        var store = new PagedGroups(500);
        var cache = new InMemoryGroupMemberCache(capacity: 10_000);
        await RunAsync(
            store,
            cache,
            filler =>
            {
                for (var i = 0; i < 1000; i++)
                {
                    filler.WantFill(Group, 7);
                }

                filler.Change(Group, 7, ["new"], ["m0000"], isDissolved: false);
            });
        Assert.Single(store.Pages);
        Assert.Equal([false, true, true], await cache.FindAsync(Group, 8, ["m0000", "m0001", "new"], default));
    }

    [Fact]
    public async Task ADissolvedGroupIsForgotten()
    {
        var store = new PagedGroups(500);
        var cache = new InMemoryGroupMemberCache(capacity: 10_000);
        await RunAsync(store, cache, filler => filler.WantFill(Group, 7));
        Assert.NotNull(await cache.FindAsync(Group, 7, [], default));
        await RunAsync(store, cache, filler => filler.Change(Group, 7, [], [], isDissolved: true));
        Assert.Null(await cache.FindAsync(Group, 7, [], default));
    }

    [Fact]
    public async Task AGroupThatDoesNotFitIsNotHeldAndOthersMakeRoom()
    {
        var cache = new InMemoryGroupMemberCache(capacity: 600);
        Assert.True(await FillAsync("g:a", 400));
        Assert.True(await FillAsync("g:b", 400));
        Assert.Null(await cache.FindAsync("g:a", 1, [], default));
        Assert.NotNull(await cache.FindAsync("g:b", 1, [], default));
        Assert.False(await FillAsync("g:c", 601));
        Assert.Null(await cache.FindAsync("g:c", 1, [], default));
        Assert.False(await new InMemoryGroupMemberCache(capacity: 0).BeginFillAsync("g:a", 1, "node", default));

        async Task<bool> FillAsync(string id, int count)
        {
            Assert.True(await cache.BeginFillAsync(id, 1, "node", default));
            await cache.AddAsync(id, 1, "node", [.. Enumerable.Range(0, count).Select(i => $"m{i}")], default);
            return await cache.CompleteFillAsync(id, 1, "node", default);
        }
    }

    // Nothing here waits for anything, so what was wanted is done when the loop first waits for more.
    private static async Task RunAsync(IGroupStore store, InMemoryGroupMemberCache cache, Action<GroupMemberFiller> work)
    {
        var filler = new GroupMemberFiller(store, cache, Options.Create(new ImServerOptions()), NullLogger<GroupMemberFiller>.Instance);
        using var stopping = new CancellationTokenSource();
        work(filler);
        var running = filler.RunAsync(stopping.Token);
        await stopping.CancelAsync();
        await running.WaitAsync(Patience);
    }

    /// <summary>A group of so many at version 7, or 8 after some pages.</summary>
    private sealed class PagedGroups(int count) : IGroupStore
    {
        public ConcurrentQueue<string?> Pages { get; } = new();

        public int ChangesAfterPages { get; init; } = int.MaxValue;

        public ValueTask<IReadOnlyList<StoredGroup?>> GetGroupsAsync(IReadOnlyList<string> conversationIds, int maxMembers, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<FoundMembers?> FindMembersAsync(string conversationId, IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<MemberPage?> ReadMembersAsync(string conversationId, string? afterUserId, int limit, CancellationToken cancellationToken)
        {
            var version = Pages.Count < ChangesAfterPages ? 7 : 8;
            Pages.Enqueue(afterUserId);
            var start = afterUserId is null ? 0 : int.Parse(afterUserId[1..], System.Globalization.CultureInfo.InvariantCulture) + 1;
            GroupMember[] members = [.. Enumerable.Range(start, Math.Min(limit, count - start)).Select(i => new GroupMember($"m{i:D4}", new(1)))];
            return new(new MemberPage(version, members));
        }
    }
}
