using Im.Cluster;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="ISessionDirectory"/> about sessions; those about nodes are in the other part.</summary>
public abstract partial class SessionDirectorySpecification(IClusterFixture fixture) : ClusterSpecification(fixture)
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    private ISessionDirectory _directory = null!;

    /// <summary>Opens a node's directory.</summary>
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        _directory = (await CreateNodeAsync()).Directory!;
    }

    /// <summary>Who signs in is found at once, with everything that was said about the session.</summary>
    [Fact]
    public virtual async Task ASessionIsFoundAsItWasRegistered()
    {
        var session = Session("alice", "phone") with { InstanceId = "start 1", Attempt = uint.MaxValue, DeviceType = "ios", SignedInMs = 1_763_000_000_123 };
        var registration = await RegisterAsync(session);

        Assert.True(registration.Ticket > 0);
        Assert.Null(registration.Other);
        Assert.Equal(0, registration.OtherSessions);
        Assert.Equal([session with { Ticket = registration.Ticket }], await FindAsync("alice"));
    }

    /// <summary>Ids are what hosts make them: nothing in one may end a record or a key.</summary>
    [Fact]
    public virtual async Task WhateverAnIdContainsIsKept()
    {
        string[] ids = ["ä ö", "}", "{b1}", "a:b", "\"'\\", "%d*?[x]", "漢字🙂", "-1", "a|b,c;d"];
        DirectorySession[] sessions = [.. ids.Select(id => Session(id, id, id, id) with { InstanceId = id, DeviceType = id })];
        var registered = await _directory.RegisterAsync(sessions, default).Soon();

        var found = await _directory.FindAsync(ids, default).Soon();
        Assert.Equal(sessions.Zip(registered, (session, result) => session with { Ticket = result.Ticket }), found.Select(user => user.Sessions.Single()));
        Assert.All(await _directory.RemoveAsync(sessions, default).Soon(), removal => Assert.Equal(new Removal(true, 0), removal));
    }

    /// <summary>Traps 7 and 15: of one device the newest sign-in counts, and the one that it replaces is named, to be closed.</summary>
    [Fact]
    public virtual async Task ASignInTakesItsDevicesPlaceAndSaysWhomItReplaced()
    {
        var first = await RegisterAsync(Session("alice", "phone", "a", "c1"));
        var second = await RegisterAsync(Session("alice", "phone", "b", "c2"));

        Assert.Equal(Session("alice", "phone", "a", "c1") with { Ticket = first.Ticket }, second.Other);
        Assert.True(second.Ticket > first.Ticket);
        Assert.Equal(["c2"], (await FindAsync("alice")).Select(session => session.ConnectionId));
    }

    /// <summary>Presence is announced by the first device that comes and the last one that goes.</summary>
    [Fact]
    public virtual async Task ARegistrationSaysHowManyOtherSessionsTheUserHas()
    {
        Assert.Equal(0, (await RegisterAsync(Session("alice", "phone"))).OtherSessions);
        Assert.Equal(1, (await RegisterAsync(Session("alice", "laptop"))).OtherSessions);
        Assert.Equal(1, (await RegisterAsync(Session("alice", "phone", connection: "later"))).OtherSessions);
        Assert.Equal(0, (await RegisterAsync(Session("bob", "phone"))).OtherSessions);
    }

    /// <summary>A node that registers its sessions anew, after Redis came back empty, does not take over who has signed in elsewhere since.</summary>
    [Fact]
    public virtual async Task OneRegisteredAgainStaysOutWhereALaterSignInHasItsPlace()
    {
        var old = await RegisterAsync(Session("alice", "phone", "a", "c1"));
        var newer = await RegisterAsync(Session("alice", "phone", "b", "c2"));

        var again = await RegisterAsync(Session("alice", "phone", "a", "c1", epoch: 9) with { Ticket = old.Ticket });
        Assert.Equal(0, again.Ticket);
        Assert.Equal("c2", again.Other!.ConnectionId);
        Assert.Equal(newer.Ticket, again.Other.Ticket);
        Assert.Equal(["c2"], (await FindAsync("alice")).Select(session => session.ConnectionId));
    }

    /// <summary>The same where the later one is registered again after the older one.</summary>
    [Fact]
    public virtual async Task OneRegisteredAgainTakesThePlaceOfAnEarlierSignIn()
    {
        var old = await RegisterAsync(Session("alice", "phone", "a", "c1"));
        var newer = await RegisterAsync(Session("alice", "phone", "b", "c2"));
        await _directory.RemoveAsync([Session("alice", "phone", "b", "c2")], default).Soon();
        await RegisterAsync(Session("alice", "phone", "a", "c1") with { Ticket = old.Ticket });

        var again = await RegisterAsync(Session("alice", "phone", "b", "c2", epoch: 9) with { Ticket = newer.Ticket });
        Assert.Equal(newer.Ticket, again.Ticket);
        Assert.Equal("c1", again.Other!.ConnectionId);
        Assert.Equal(["c2"], (await FindAsync("alice")).Select(session => session.ConnectionId));
    }

    /// <summary>A session is not replaced by itself: nobody is to be closed when its node registers it under a new epoch.</summary>
    [Fact]
    public virtual async Task OneRegisteredAgainUnderANewEpochReplacesNobody()
    {
        var first = await RegisterAsync(Session("alice", "phone", epoch: 1));
        var again = await RegisterAsync(Session("alice", "phone", epoch: 2) with { Ticket = first.Ticket });

        Assert.Null(again.Other);
        Assert.True(again.Ticket >= first.Ticket);
        Assert.Equal(2, Assert.Single(await FindAsync("alice")).Epoch);
    }

    /// <summary>A client that gave up one attempt and made the next may be accepted by two nodes in the wrong order: its later attempt is the one it uses.</summary>
    [Fact]
    public virtual async Task OfOneStartOfAClientTheLaterAttemptWins()
    {
        var second = await RegisterAsync(Session("alice", "phone", "b", "c2") with { InstanceId = "start", Attempt = 2 });
        var first = await RegisterAsync(Session("alice", "phone", "a", "c1") with { InstanceId = "start", Attempt = 1 });
        Assert.Equal(0, first.Ticket);
        Assert.Equal("c2", first.Other!.ConnectionId);

        var third = await RegisterAsync(Session("alice", "phone", "c", "c3") with { InstanceId = "start", Attempt = 3, Ticket = second.Ticket - 1 });
        Assert.NotEqual(0, third.Ticket);
        Assert.Equal("c2", third.Other!.ConnectionId);
        Assert.Equal(["c3"], (await FindAsync("alice")).Select(session => session.ConnectionId));
    }

    /// <summary>Another start of the client counts its attempts anew.</summary>
    [Fact]
    public virtual async Task AttemptsOfDifferentStartsAreNotCompared()
    {
        await RegisterAsync(Session("alice", "phone", "a", "c1") with { InstanceId = "start 1", Attempt = 9 });
        await RegisterAsync(Session("alice", "phone", "b", "c2") with { InstanceId = "start 2", Attempt = 1 });
        Assert.Equal(["c2"], (await FindAsync("alice")).Select(session => session.ConnectionId));

        await RegisterAsync(Session("bob", "phone", "a", "c1") with { Attempt = 9 });
        await RegisterAsync(Session("bob", "phone", "b", "c2") with { Attempt = 1 });
        Assert.Equal(["c2"], (await FindAsync("bob")).Select(session => session.ConnectionId));
    }

    /// <summary>Trap 7: what is late never removes what is newer.</summary>
    [Fact]
    public virtual async Task ARemovalComparesNodeEpochAndConnection()
    {
        await RegisterAsync(Session("alice", "phone", "a", "c1", epoch: 3));
        DirectorySession[] others =
        [
            Session("alice", "phone", "b", "c1", epoch: 3), Session("alice", "phone", "a", "c2", epoch: 3), Session("alice", "phone", "a", "c1", epoch: 2),
            Session("alice", "laptop", "a", "c1", epoch: 3),
        ];
        Assert.All(await _directory.RemoveAsync(others, default).Soon(), removal => Assert.Equal(new Removal(false, 1), removal));
        Assert.Equal([new Removal(true, 0), new Removal(false, 0)], await _directory.RemoveAsync(
            [Session("alice", "phone", "a", "c1", epoch: 3), Session("alice", "phone", "a", "c1", epoch: 3)], default).Soon());
    }

    /// <summary>"Last seen" is when the last device went, by one clock for all nodes.</summary>
    [Fact]
    public virtual async Task TheLastSessionLeavesBehindWhenTheUserWasLastSeen()
    {
        await _directory.RegisterAsync([Session("alice", "phone"), Session("alice", "laptop")], default).Soon();
        await _directory.RemoveAsync([Session("alice", "phone")], default).Soon();
        Assert.Equal(0, (await UserAsync("alice")).LastSeenMs);

        await _directory.RemoveAsync([Session("alice", "laptop")], default).Soon();
        var seen = await UserAsync("alice");
        Assert.Empty(seen.Sessions);
        Assert.InRange(seen.LastSeenMs, 1_700_000_000_000, 9_999_999_999_999);
        Assert.Equal(0, (await UserAsync("bob")).LastSeenMs);
    }

    /// <summary>A delivery looks up many users at once, and each answer must stand at its user's place.</summary>
    [Fact]
    public virtual async Task ManyUsersAreFoundInOrder()
    {
        string[] users = [.. Enumerable.Range(0, 1_500).Select(i => $"user {i}")];
        var registered = await _directory.RegisterAsync([.. users.Where((_, i) => i % 2 == 0).Select(user => Session(user, "phone", connection: user))], default).Soon();
        Assert.All(registered, result => Assert.NotEqual(0, result.Ticket));

        var found = await _directory.FindAsync(users, default).Soon();
        Assert.Equal(users, found.Select(user => user.UserId));
        Assert.All(found.Select((user, i) => (user, i)), item =>
            Assert.Equal(item.i % 2 == 0 ? [item.user.UserId] : [], item.user.Sessions.Select(session => session.ConnectionId)));
        Assert.Empty(await _directory.FindAsync([], default).Soon());
    }

    /// <summary>An admin's list of who is online is complete for those who stay.</summary>
    [Fact]
    public virtual async Task TheListHasEverybodyOnceWhileNobodyComesOrGoes()
    {
        string[] users = [.. Enumerable.Range(0, 1_000).Select(i => $"user {i}")];
        await _directory.RegisterAsync([.. users.Select(user => Session(user, "phone"))], default).Soon();
        await _directory.RegisterAsync([Session("user 1", "laptop"), Session("gone", "phone")], default).Soon();
        await _directory.RemoveAsync([Session("gone", "phone")], default).Soon();

        var listed = new List<UserSessions>();
        string? cursor = null;
        do
        {
            var page = await _directory.ListAsync(cursor, 70, default).Soon();
            Assert.InRange(page.Users.Count, 0, 70);
            listed.AddRange(page.Users);
            cursor = page.Next;
        }
        while (cursor is not null);

        Assert.Equal(users.Order(StringComparer.Ordinal), listed.Select(user => user.UserId).Order(StringComparer.Ordinal));
        Assert.Equal(2, listed.Single(user => user.UserId == "user 1").Sessions.Count);
    }

    /// <summary>One user signs in with one device on two nodes at the same instant: one session stays, and the other one's node is told.</summary>
    [Fact]
    public virtual async Task OfManySignInsOfOneDeviceAtOnceExactlyOneStays()
    {
        var other = (await CreateNodeAsync()).Directory!;
        var tries = Enumerable.Range(0, 40).Select(i => Session("alice", "phone", i % 2 == 0 ? "a" : "b", $"c{i}")).ToArray();
        var results = await Task.WhenAll(tries.Select(async (session, i) =>
            (await (i % 2 == 0 ? _directory : other).RegisterAsync([session], default).Soon())[0])).Soon();

        var last = Assert.Single(await FindAsync("alice"));
        var replaced = results.Select(result => result.Other?.ConnectionId).Where(id => id is not null).ToArray();
        Assert.Equal(tries.Length - 1, replaced.Distinct().Count());
        Assert.DoesNotContain(last.ConnectionId, replaced);
        Assert.Equal(results.Max(result => result.Ticket), last.Ticket);
    }

    /// <summary>What one node registers another one finds.</summary>
    [Fact]
    public virtual async Task NodesShareTheDirectory()
    {
        var other = (await CreateNodeAsync()).Directory!;
        await RegisterAsync(Session("alice", "phone"));
        Assert.Single((await other.FindAsync(["alice"], default).Soon())[0].Sessions);
    }

    private static DirectorySession Session(string user, string device, string node = "a", string connection = "c", long epoch = 1) => new()
    {
        UserId = user,
        DeviceId = device,
        NodeName = node,
        Epoch = epoch,
        ConnectionId = connection,
    };

    private async Task<Registration> RegisterAsync(DirectorySession session) => (await _directory.RegisterAsync([session], default).Soon()).Single();

    private async Task<UserSessions> UserAsync(string user) => (await _directory.FindAsync([user], default).Soon()).Single();

    private async Task<IReadOnlyList<DirectorySession>> FindAsync(string user) => (await UserAsync(user)).Sessions;
}
