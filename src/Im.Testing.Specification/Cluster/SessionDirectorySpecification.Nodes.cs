using Im.Cluster;

namespace Im.Testing.Specification;

/// <summary>Leases, epochs and what dead nodes leave.</summary>
public abstract partial class SessionDirectorySpecification
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(150);

    private static readonly NodeDescription A = new("a", "a1", "1.0");
    private static readonly NodeDescription B = new("b", "b1", "1.0");

    /// <summary>A delivery goes to the nodes that live, so every node must know all of them.</summary>
    [Fact]
    public virtual async Task ARenewalSaysWhichNodesLive()
    {
        var a = await JoinAsync(A);
        var b = await JoinAsync(B);

        var live = await _directory.RenewAsync(A, a, Lease, default).Soon();
        Assert.Equal([(A, a), (B, b)], live!.Select(node => (node.Description, node.Epoch)));
        Assert.All(live!, node => Assert.InRange(node.JoinedMs, 1_700_000_000_000, 9_999_999_999_999));
    }

    /// <summary>A newer epoch is told from an older one by its number alone.</summary>
    [Fact]
    public virtual async Task EveryEpochIsHigherThanAllBefore()
    {
        var last = 0L;
        for (var i = 0; i < 20; i++)
        {
            var epoch = await JoinAsync(i % 2 == 0 ? A : B);
            Assert.True(epoch > last, $"{epoch} after {last}");
            last = epoch;
        }
    }

    /// <summary>Two nodes with the same name: the second one fails at its start, and says who is there.</summary>
    [Fact]
    public virtual async Task AnotherInstanceIsRefusedWhileTheNameIsHeld()
    {
        var epoch = await JoinAsync(A);
        var refused = await _directory.JoinAsync(A with { InstanceId = "a2" }, Lease, default).Soon();

        Assert.False(refused.IsAccepted);
        Assert.Equal((A, epoch), (refused.Holder!.Description, refused.Holder.Epoch));
        Assert.NotNull(await _directory.RenewAsync(A, epoch, Lease, default).Soon());
    }

    /// <summary>A node whose lease is in doubt joins again; what it did under the old epoch is over.</summary>
    [Fact]
    public virtual async Task TheSameInstanceMayJoinAgainAndItsOldEpochIsOver()
    {
        var old = await JoinAsync(A);
        var epoch = await JoinAsync(A);
        Assert.Null(await _directory.RenewAsync(A, old, Lease, default).Soon());
        Assert.Equal(epoch, Assert.Single((await _directory.RenewAsync(A, epoch, Lease, default).Soon())!).Epoch);
    }

    /// <summary>A node that was frozen for longer than its lease must not believe that it still has it.</summary>
    [Fact]
    public virtual async Task ALeaseThatRanOutCannotBeRenewedAndItsNodeIsNotListed()
    {
        var a = await JoinAsync(A, Short);
        var b = await JoinAsync(B);
        await UntilAsync(async () => (await _directory.RenewAsync(B, b, Lease, default).Soon())!.Count == 1, "a's lease has run out");

        Assert.Null(await _directory.RenewAsync(A, a, Lease, default).Soon());
        Assert.True((await _directory.JoinAsync(A with { InstanceId = "a2" }, Lease, default).Soon()).Epoch > a);
    }

    /// <summary>A node that stops makes place at once.</summary>
    [Fact]
    public virtual async Task WhoLeavesIsNotListedAndItsNameIsFree()
    {
        var a = await JoinAsync(A);
        var b = await JoinAsync(B);
        await _directory.LeaveAsync("a", a, default).Soon();

        Assert.Equal(["b"], (await _directory.RenewAsync(B, b, Lease, default).Soon())!.Select(node => node.Name));
        Assert.True((await _directory.JoinAsync(A with { InstanceId = "a2" }, Lease, default).Soon()).IsAccepted);
    }

    /// <summary>A late farewell does not end the newer epoch.</summary>
    [Fact]
    public virtual async Task LeavingUnderAnOldEpochChangesNothing()
    {
        var old = await JoinAsync(A);
        var epoch = await JoinAsync(A);
        await _directory.LeaveAsync("a", old, default).Soon();
        Assert.NotNull(await _directory.RenewAsync(A, epoch, Lease, default).Soon());
    }

    /// <summary>Trap 8: what a dead node left is removed, by one reaper, and everybody concerned is told.</summary>
    [Fact]
    public virtual async Task ADeadNodesSessionsAreRemovedOnce()
    {
        var a = await JoinAsync(A, Short);
        await JoinAsync(B);
        await _directory.RegisterAsync(
            [Session("alice", "phone", "a", "c1", a), Session("alice", "laptop", "b", "c2", 1), Session("bob", "phone", "a", "c3", a)], default).Soon();
        Assert.Empty(await DeadAsync());

        await UntilAsync(async () => (await DeadAsync()).Count > 0, "a's lease has run out");
        var dead = Assert.Single(await DeadAsync());
        Assert.Equal((A, a), (dead.Description, dead.Epoch));
        var removed = await RemoveNodeAsync(dead);
        Assert.Equal(
            [("alice", "c1", new Removal(true, 1)), ("bob", "c3", new Removal(true, 0))],
            removed.Select(item => (item.Session.UserId, item.Session.ConnectionId, item.Removal)).OrderBy(item => item.ConnectionId, StringComparer.Ordinal));
        Assert.Equal(["c2"], (await FindAsync("alice")).Select(session => session.ConnectionId));
        Assert.NotEqual(0, (await UserAsync("bob")).LastSeenMs);

        Assert.Empty(await DeadAsync());
        Assert.Empty(await RemoveNodeAsync(dead));
    }

    /// <summary>A reaper that breaks off half-way has been told of all that is gone, and the next one is told of the rest.</summary>
    [Fact]
    public virtual async Task WhatIsRemovedOfADeadNodeIsToldStepByStep()
    {
        string[] users = [.. Enumerable.Range(0, 40).Select(number => $"user {number}")];
        var a = await JoinAsync(A, Short);
        await JoinAsync(B);
        await _directory.RegisterAsync([.. users.Select(userId => Session(userId, "phone", "a", userId, a))], default).Soon();
        await UntilAsync(async () => (await DeadAsync()).Count > 0, "a's lease has run out");
        var dead = Assert.Single(await DeadAsync());

        var first = await _directory.RemoveNodeAsync(dead, default).FirstAsync().Soon();
        var gone = first.Select(item => item.Session.UserId).ToHashSet();
        var left = await _directory.FindAsync(users, default).Soon();
        Assert.Equal(users.Where(userId => !gone.Contains(userId)), left.Where(user => user.Sessions.Count > 0).Select(user => user.UserId));
        Assert.NotEmpty(left.SelectMany(user => user.Sessions));

        var rest = await RemoveNodeAsync(Assert.Single(await DeadAsync()));
        Assert.Equal(users.Order(StringComparer.Ordinal), first.Concat(rest).Select(item => item.Session.UserId).Order(StringComparer.Ordinal));
        Assert.Empty(await DeadAsync());
    }

    /// <summary>A node that was dead and has joined again has its own sessions: the old ones go, the new ones stay.</summary>
    [Fact]
    public virtual async Task WhatANodeHasRegisteredUnderANewerEpochStays()
    {
        var old = await JoinAsync(A, Short);
        await JoinAsync(B);
        await RegisterAsync(Session("alice", "phone", "a", "c1", old));
        await RegisterAsync(Session("bob", "phone", "a", "c2", old));
        await UntilAsync(async () => (await DeadAsync()).Count > 0, "a's lease has run out");
        var dead = Assert.Single(await DeadAsync());

        var epoch = await JoinAsync(A);
        await RegisterAsync(Session("bob", "phone", "a", "c4", epoch));
        await RemoveNodeAsync(dead);
        Assert.Empty(await FindAsync("alice"));
        Assert.Equal(["c4"], (await FindAsync("bob")).Select(session => session.ConnectionId));
        Assert.NotNull(await _directory.RenewAsync(A, epoch, Lease, default).Soon());
    }

    /// <summary>A node that is slow to renew may have done so before the reaper comes: then it is not dead.</summary>
    [Fact]
    public virtual async Task ANodeThatLivesIsNotRemoved()
    {
        var a = await JoinAsync(A);
        await RegisterAsync(Session("alice", "phone", "a", "c1", a));
        Assert.Empty(await RemoveNodeAsync(new LiveNode(A, a, 0)));
        Assert.Single(await FindAsync("alice"));
    }

    /// <summary>Who leaves while some of its sessions are still registered is cleaned up after, as who died.</summary>
    [Fact]
    public virtual async Task WhoLeavesSessionsBehindIsFoundByTheReaper()
    {
        var a = await JoinAsync(A);
        var b = await JoinAsync(B);
        await RegisterAsync(Session("alice", "phone", "a", "c1", a));
        await _directory.LeaveAsync("a", a, default).Soon();
        Assert.Equal(["b"], (await _directory.RenewAsync(B, b, Lease, default).Soon())!.Select(node => node.Name));

        Assert.Single(await RemoveNodeAsync(Assert.Single(await DeadAsync())));
        Assert.Empty(await DeadAsync());
    }

    /// <summary>Two reapers would tell everybody twice.</summary>
    [Fact]
    public virtual async Task OneReaperAtATimeFindsDeadNodes()
    {
        await JoinAsync(A, Short);
        await UntilAsync(async () => (await DeadAsync()).Count > 0, "a's lease has run out");

        Assert.Empty(await _directory.FindDeadNodesAsync(B with { Name = "c" }, Lease, default).Soon());
        Assert.Single(await _directory.FindDeadNodesAsync(B, Short, default).Soon());
        await UntilAsync(
            async () => (await _directory.FindDeadNodesAsync(B with { Name = "c" }, Lease, default).Soon()).Count == 1, "the reaper's lock has run out");
    }

    /// <summary>A directory that came back empty: leases are lost, epochs and tickets go on, and who registers again keeps the order of the sign-ins.</summary>
    [AbilityFact]
    public virtual async Task AfterItCameBackEmptyEverythingIsRegisteredAnewInTheOldOrder()
    {
        var epoch = await JoinAsync(A);
        var first = await RegisterAsync(Session("alice", "phone", "a", "c1", epoch));
        var second = await RegisterAsync(Session("alice", "phone", "b", "c2", epoch));
        await RestartEmptyAsync();

        Assert.Null(await _directory.RenewAsync(A, epoch, Lease, default).Soon());
        Assert.Empty(await FindAsync("alice"));
        Assert.True(await JoinAsync(A) > epoch);
        await RegisterAsync(Session("alice", "phone", "b", "c2", epoch) with { Ticket = second.Ticket });
        Assert.Equal(0, (await RegisterAsync(Session("alice", "phone", "a", "c1", epoch) with { Ticket = first.Ticket })).Ticket);
        Assert.True((await RegisterAsync(Session("alice", "phone", "a", "c3", epoch))).Ticket > second.Ticket);
    }

    private Task<List<(DirectorySession Session, Removal Removal)>> RemoveNodeAsync(LiveNode dead) =>
        _directory.RemoveNodeAsync(dead, default).SelectMany(removed => removed).ToListAsync().Soon();

    private async Task<long> JoinAsync(NodeDescription node, TimeSpan? lease = null)
    {
        var joined = await _directory.JoinAsync(node, lease ?? Lease, default).Soon();
        Assert.True(joined.IsAccepted);
        Assert.Null(joined.Holder);
        return joined.Epoch;
    }

    private Task<IReadOnlyList<LiveNode>> DeadAsync() => _directory.FindDeadNodesAsync(B, Lease, default).Soon();
}
