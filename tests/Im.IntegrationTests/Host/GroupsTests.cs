using Im.Fanout;
using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Model;
using Im.Timelines;

namespace Im.IntegrationTests.Host;

/// <summary>Groups over the host's API, with either fan-out.</summary>
public sealed class GroupsTests
{
    [Fact]
    public async Task AGroupIsCreatedReadChangedAndDissolved()
    {
        await using var server = await TestServer.StartAsync();
        var groups = server.Im.Groups;
        var created = await groups.CreateAsync(New("team", "alice", "bob"));
        Assert.Equal(("team", "g:team", 2, 1L, FanoutNames.Write, false), (created.GroupId, created.ConversationId, created.MemberCount, created.Version, created.Fanout, created.IsDissolved));
        Assert.Equal(created, await groups.GetAsync("team"));
        Assert.Null(await groups.GetAsync("other"));

        var updated = await groups.UpdateAsync("team", new GroupInfo("Team", "/a.png", "x"), "alice");
        Assert.Equal((new GroupInfo("Team", "/a.png", "x"), 2L), (updated.Info, updated.Version));
        Assert.Equal(4, (await groups.AddMembersAsync("team", ["dora", "cid", "bob"], "alice")).MemberCount);
        Assert.Equal(["alice", "bob"], await groups.ListMembersAsync("team", null, 2));
        Assert.Equal(["cid", "dora"], await groups.ListMembersAsync("team", "bob", 2));
        Assert.Equal(3, (await groups.RemoveMembersAsync("team", ["bob", "stranger"], "alice")).MemberCount);
        Assert.Equal(["dora"], await groups.ListMembersAsync("team", "cid"));

        await groups.DissolveAsync("team", "alice");
        await groups.DissolveAsync("team", "alice");
        Assert.True((await groups.GetAsync("team"))!.IsDissolved);
        await ThrowsAsync(ImErrorCode.Dissolved, groups.AddMembersAsync("team", ["bob"], "alice"));
        Assert.Equal(ImErrorCode.Dissolved, (await server.Im.Messages.SendAsync(Say("alice", "late"))).Code);

        // Who was a member still reads what was said while they were.
        var kinds = (await server.Im.Conversations.ReadHistoryAsync("alice", "g:team")).Select(entry => entry.Kind);
        Assert.Equal(
            [EntryKind.GroupCreated, EntryKind.GroupChanged, EntryKind.MembersChanged, EntryKind.MembersChanged, EntryKind.GroupDissolved], kinds);
        Assert.Equal(4, (await server.Im.Conversations.ReadHistoryAsync("bob", "g:team")).Count);
    }

    [Fact]
    public async Task MistakesHaveTheirCodes()
    {
        await using var server = await TestServer.StartAsync(options =>
        {
            options.MaxGroupMembers = 4;
            options.MaxMembersPerChange = 3;
        });
        var groups = server.Im.Groups;
        await groups.CreateAsync(New("team", "alice", "bob"));
        await ThrowsAsync(ImErrorCode.AlreadyExists, groups.CreateAsync(New("team", "alice")));
        await ThrowsAsync(ImErrorCode.UnknownUser, groups.CreateAsync(New("other", "alice", "nobody")));
        await ThrowsAsync(ImErrorCode.TooManyMembers, groups.CreateAsync(New("other", "a", "b", "c", "d", "e")));
        await ThrowsAsync(ImErrorCode.InvalidArgument, groups.CreateAsync(New("", "alice")));
        await ThrowsAsync(ImErrorCode.InvalidArgument, groups.CreateAsync(New("other", "alice") with { ActorId = "" }));
        await ThrowsAsync(ImErrorCode.InvalidArgument, groups.CreateAsync(New("other", "alice") with { Fanout = "magic" }));
        await ThrowsAsync(ImErrorCode.TooManyMembers, groups.AddMembersAsync("team", ["c", "d", "e"], "alice"));
        await ThrowsAsync(ImErrorCode.InvalidArgument, groups.AddMembersAsync("team", ["c", "d", "e", "f"], "alice"));
        await ThrowsAsync(ImErrorCode.UnknownUser, groups.AddMembersAsync("team", ["nobody"], "alice"));
        await ThrowsAsync(ImErrorCode.UnknownConversation, groups.AddMembersAsync("other", ["bob"], "alice"));
        await ThrowsAsync(ImErrorCode.InvalidArgument, groups.SetFanoutAsync("team", "magic", "alice"));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => groups.ListMembersAsync("team", null, 0).AsTask());
        Assert.Equal(1, (await groups.GetAsync("team"))!.Version);
    }

    [Fact]
    public async Task AGroupCrossesTheThresholdUpwardByItselfAndNeverBack()
    {
        await using var server = await TestServer.StartAsync(options => options.MaxWriteFanoutMembers = 3);
        var groups = server.Im.Groups;
        await groups.CreateAsync(New("team", "a", "b", "c"));
        var grown = await groups.AddMembersAsync("team", ["d"], "a");
        Assert.Equal((FanoutNames.Read, 3L), (grown.Fanout, grown.Version));
        Assert.Equal(FanoutNames.Read, (await groups.RemoveMembersAsync("team", ["c", "d"], "a")).Fanout);
        Assert.Equal(FanoutNames.Read, (await groups.CreateAsync(New("big", "a", "b", "c", "d"))).Fanout);

        // A pinned one stays what it is.
        await groups.CreateAsync(New("pinned", "a", "b", "c") with { Fanout = FanoutNames.Write });
        Assert.Equal(FanoutNames.Write, (await groups.AddMembersAsync("pinned", ["d"], "a")).Fanout);
        Assert.Equal(FanoutNames.Read, (await groups.SetFanoutAsync("pinned", FanoutNames.Read, "a")).Fanout);
    }

    // A membership change decides by its place in the conversation who gets what.
    [Theory]
    [InlineData(FanoutNames.Write)]
    [InlineData(FanoutNames.Read)]
    public async Task HistoryIsLimitedToTheMembersStays(string fanout)
    {
        await using var server = await TestServer.StartAsync();
        var groups = server.Im.Groups;
        await groups.CreateAsync(New("team", "alice", "bob") with { Fanout = fanout });          // 1
        await server.Im.Messages.SendAsync(Say("alice", "before"));                             // 2
        await groups.AddMembersAsync("team", ["cid"], "alice");                                 // 3
        await server.Im.Messages.SendAsync(Say("alice", "during"));                             // 4
        await groups.RemoveMembersAsync("team", ["cid"], "alice");                              // 5
        await server.Im.Messages.SendAsync(Say("alice", "between"));                            // 6
        await groups.AddMembersAsync("team", ["cid"], "alice");                                 // 7
        await server.Im.Messages.SendAsync(Say("alice", "again"));                              // 8

        var seqs = new List<long>();
        for (ConversationSeq? before = null; await server.Im.Conversations.ReadHistoryAsync("cid", "g:team", before, 2) is { Count: > 0 } page; before = page[0].Seq)
        {
            seqs.InsertRange(0, page.Select(entry => entry.Seq.Value));
        }

        Assert.Equal([3, 4, 5, 7, 8], seqs);
        await ThrowsAsync(ImErrorCode.NotAMember, server.Im.Conversations.ReadHistoryAsync("eve", "g:team"));
        await ThrowsAsync(ImErrorCode.UnknownConversation, server.Im.Conversations.ReadHistoryAsync("eve", "g:none"));
    }

    [Fact]
    public async Task ChangesAtOnceAllTakeEffect()
    {
        await using var server = await TestServer.StartAsync();
        await server.Im.Groups.CreateAsync(New("team", "alice"));
        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => server.Im.Groups.AddMembersAsync("team", [$"u{i}"], "alice").AsTask())).InTimeAsync();
        var group = (await server.Im.Groups.GetAsync("team"))!;
        Assert.Equal((11, 11L), (group.MemberCount, group.Version));
    }

    private static NewGroup New(string groupId, params string[] members) =>
        new() { GroupId = groupId, Info = new GroupInfo(groupId), MemberIds = members, ActorId = "alice" };

    private static OutgoingMessage Say(string sender, string text) =>
        new() { SenderId = sender, ConversationId = "g:team", Content = MessageContent.FromText(text) };

    private static async Task ThrowsAsync<T>(ImErrorCode code, ValueTask<T> call) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<ImException>(() => call.AsTask())).Code);
}
