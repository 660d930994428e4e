using Im.Cluster;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="IGroupMemberCache"/>. Not to know is always allowed; to say something wrong never is.</summary>
public abstract class GroupMemberCacheSpecification(IClusterFixture fixture) : ClusterSpecification(fixture)
{
    private const string Group = "g:{1} *";

    private IGroupMemberCache _cache = null!;

    /// <summary>Opens a node's cache.</summary>
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        _cache = (await CreateNodeAsync()).Members!;
    }

    /// <summary>Who is asked about gets an answer only from a cache that is complete.</summary>
    [Fact]
    public virtual async Task WhatWasNotFilledIsNotKnown() => Assert.Null(await FindAsync(1, "alice"));

    /// <summary>A sender is checked without the store.</summary>
    [Fact]
    public virtual async Task AfterAFillMembersAndOthersAreToldApart()
    {
        await FillAsync(7, "alice", "bob", "ä }{");
        Assert.Equal([true, false, true, true], await FindAsync(7, "bob", "carol", "ä }{", "alice"));
        Assert.Equal([], await FindAsync(7));
    }

    /// <summary>Stale memberships must not decide: the version is compared.</summary>
    [Fact]
    public virtual async Task AnotherVersionIsNotKnown()
    {
        await FillAsync(7, "alice");
        Assert.Null(await FindAsync(6, "alice"));
        Assert.Null(await FindAsync(8, "alice"));
    }

    /// <summary>Half of the members would be a wrong answer.</summary>
    [Fact]
    public virtual async Task AFillCountsOnlyWhenItIsComplete()
    {
        Assert.True(await BeginAsync(7, "node a"));
        await AddAsync(7, "node a", "alice");
        Assert.Null(await FindAsync(7, "alice"));
        Assert.True(await CompleteAsync(7, "node a"));
        Assert.Equal([true], await FindAsync(7, "alice"));
    }

    /// <summary>A hundred thousand members are read from the store by one node, not by all.</summary>
    [Fact]
    public virtual async Task OneFillsAtATimeAndNotWhatIsHeld()
    {
        Assert.True(await BeginAsync(7, "node a"));
        Assert.False(await BeginAsync(7, "node b"));
        await AddAsync(7, "node b", "mallory");
        Assert.False(await CompleteAsync(7, "node b"));
        await AddAsync(7, "node a", "alice");
        Assert.True(await CompleteAsync(7, "node a"));
        Assert.Equal([true, false], await FindAsync(7, "alice", "mallory"));
        Assert.False(await BeginAsync(7, "node b"));
        Assert.True(await BeginAsync(8, "node b"));
    }

    /// <summary>The same node begins again from the start.</summary>
    [Fact]
    public virtual async Task WhoBeginsAgainBeginsEmpty()
    {
        Assert.True(await BeginAsync(7, "node a"));
        await AddAsync(7, "node a", "alice");
        Assert.True(await BeginAsync(8, "node a"));
        await AddAsync(7, "node a", "alice");
        await AddAsync(8, "node a", "bob");
        Assert.False(await CompleteAsync(7, "node a"));
        Assert.True(await CompleteAsync(8, "node a"));
        Assert.Equal([false, true], await FindAsync(8, "alice", "bob"));
    }

    /// <summary>A join or a leave does not make the whole group be read again.</summary>
    [Fact]
    public virtual async Task AChangeMovesTheNextVersion()
    {
        await FillAsync(7, "alice", "bob");
        await ChangeAsync(7, ["carol", "dave"], ["bob"]);
        Assert.Null(await FindAsync(7, "alice"));
        Assert.Equal([true, false, true, true], await FindAsync(8, "alice", "bob", "carol", "dave"));

        await ChangeAsync(8, [], []);
        Assert.Equal([true, false], await FindAsync(9, "alice", "bob"));
    }

    /// <summary>A change that was missed shows: nothing is known until the next fill, rather than something wrong.</summary>
    [Fact]
    public virtual async Task AChangeOfAnotherVersionIsLeftOut()
    {
        await FillAsync(7, "alice");
        await ChangeAsync(8, ["bob"], []);
        await ChangeAsync(6, ["bob"], []);
        Assert.Equal([true, false], await FindAsync(7, "alice", "bob"));
        Assert.Null(await FindAsync(9, "bob"));
    }

    /// <summary>A change during a fill makes what was filled the old version; it never becomes part of the new one unseen.</summary>
    [Fact]
    public virtual async Task AChangeDuringAFillDoesNotTouchTheFill()
    {
        Assert.True(await BeginAsync(7, "node a"));
        await AddAsync(7, "node a", "alice");
        await ChangeAsync(7, ["bob"], ["alice"]);
        Assert.True(await CompleteAsync(7, "node a"));
        Assert.Equal([true, false], await FindAsync(7, "alice", "bob"));
        Assert.Null(await FindAsync(8, "alice"));
    }

    /// <summary>A deleted group leaves nothing.</summary>
    [Fact]
    public virtual async Task WhatIsForgottenIsNotKnownAndNoFillOfItEnds()
    {
        await FillAsync(7, "alice");
        Assert.True(await BeginAsync(8, "node a"));
        await _cache.ForgetAsync(Group, default).Soon();
        Assert.Null(await FindAsync(7, "alice"));
        Assert.False(await CompleteAsync(8, "node a"));
        Assert.Null(await FindAsync(8, "alice"));
    }

    /// <summary>Groups are apart, and empty ones are groups too.</summary>
    [Fact]
    public virtual async Task GroupsAreKeptApart()
    {
        await FillAsync(7, "alice");
        Assert.True(await _cache.BeginFillAsync("g:other", 7, "node a", default).Soon());
        Assert.True(await _cache.CompleteFillAsync("g:other", 7, "node a", default).Soon());
        Assert.Equal([false], await _cache.FindAsync("g:other", 7, ["alice"], default).Soon());
        Assert.Equal([true], await FindAsync(7, "alice"));
    }

    /// <summary>A very large group, page by page.</summary>
    [Fact]
    public virtual async Task ManyMembersAreFilledAndFound()
    {
        string[] members = [.. Enumerable.Range(0, 6_000).Select(i => $"user {i}")];
        Assert.True(await BeginAsync(7, "node a"));
        foreach (var page in members.Chunk(2_500))
        {
            await AddAsync(7, "node a", page);
        }

        Assert.True(await CompleteAsync(7, "node a"));
        Assert.Equal(Enumerable.Repeat(true, 6_000).Append(false), await FindAsync(7, [.. members, "nobody"]));
        await ChangeAsync(7, [.. members.Select(member => "new " + member)], members);
        Assert.Equal([false, true], await FindAsync(8, "user 5999", "new user 5999"));
    }

    /// <summary>The store is the truth: a cache that came back empty is filled from it.</summary>
    [AbilityFact]
    public virtual async Task AfterItWasLostItIsNotKnownAndCanBeFilledAgain()
    {
        await FillAsync(7, "alice");
        await RestartEmptyAsync();
        Assert.Null(await FindAsync(7, "alice"));
        await FillAsync(7, "alice");
        Assert.Equal([true], await FindAsync(7, "alice"));
    }

    private async Task FillAsync(long version, params string[] members)
    {
        Assert.True(await BeginAsync(version, "node a"));
        await AddAsync(version, "node a", members);
        Assert.True(await CompleteAsync(version, "node a"));
    }

    private Task<IReadOnlyList<bool>?> FindAsync(long version, params string[] users) => _cache.FindAsync(Group, version, users, default).Soon();

    private Task ChangeAsync(long version, string[] added, string[] removed) => _cache.ChangeAsync(Group, version, added, removed, default).Soon();

    private Task<bool> BeginAsync(long version, string filler) => _cache.BeginFillAsync(Group, version, filler, default).Soon();

    private Task AddAsync(long version, string filler, params string[] users) => _cache.AddAsync(Group, version, filler, users, default).Soon();

    private Task<bool> CompleteAsync(long version, string filler) => _cache.CompleteFillAsync(Group, version, filler, default).Soon();
}
