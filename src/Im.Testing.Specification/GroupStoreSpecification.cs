using Im.Fanout;
using Im.Model;
using Im.Storage;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="IGroupStore"/> and of the changes that make groups.</summary>
public abstract partial class GroupStoreSpecification(IStorageFixture fixture) : StorageSpecification(fixture)
{
    private const string Id = "g:team";

    /// <summary>What a group's members see is what its creator entered.</summary>
    [Fact]
    public virtual async Task AGroupIsReadAsItWasCreated()
    {
        var info = new GroupInfo("Team", "http://avatar", "{}");
        var created = await StoreAsync(Change(
            Id, "ann", To("ann", "bob"), 0, new ConversationChange.CreateGroup(info, FanoutNames.Read, true, ["bob", "ann", "bob"])));

        Assert.Equal((1L, 1L), (created.Seq.Value, created.Version));
        var group = await GroupAsync();
        Assert.Equal(
            (Id, info, 1L, FanoutNames.Read, true, false),
            (group.ConversationId, group.Info, group.Version, group.Fanout, group.FanoutPinned, group.IsDissolved));
        Assert.Equal(["ann", "bob"], group.Members.ToArray());
    }

    /// <summary>Names are the users' to choose: any character comes back as it was.</summary>
    [Fact]
    public virtual async Task TextsAreKeptAsTheyAre()
    {
        string[] texts = ["", " ", "a ", "a\0b", "\0", "\r\n\t", "'\"\\%_`;--", "é e\u0301 😀 \uFFFF \uE000", new string('x', 70_000)];
        await StoreAsync(Create(Id, FanoutNames.Write, "ann"));
        var version = 1;
        foreach (var text in texts)
        {
            var info = new GroupInfo("1" + text, text, text + "2");
            await StoreAsync(Change(Id, "ann", To("ann"), version++, new ConversationChange.SetGroupInfo(info)));
            Assert.Equal(info, (await GroupAsync()).Info);
            Assert.Equal(info, (await SeeAsync("ann", Id))!.Group);
            Assert.Equal(AppendOutcome.Unchanged, await OutcomeAsync(Change(Id, "ann", To("ann"), version, new ConversationChange.SetGroupInfo(info))));
        }
    }

    /// <summary>Two hosts that create the same group make one, and the second is told.</summary>
    [Fact]
    public virtual async Task AGroupThatExistsIsNotCreatedAgain()
    {
        await StoreAsync(Create(Id, FanoutNames.Write, "ann"));

        Assert.Equal(AppendOutcome.StaleVersion, await OutcomeAsync(Create(Id, FanoutNames.Write, "eve")));
        await StoreAsync(Change(Id, "ann", To("ann"), 1, new ConversationChange.DissolveGroup()));
        Assert.Equal(AppendOutcome.StaleVersion, await OutcomeAsync(Create(Id, FanoutNames.Write, "eve")));
        Assert.Empty(await MembersAsync());
    }

    /// <summary>A member list is always that of one version, so that a send validated against it is safe.</summary>
    [Fact]
    public virtual async Task EachChangeRaisesTheVersionByOne()
    {
        await StoreAsync(Create(Id, FanoutNames.Write, "ann", "bob"));
        var info = new GroupInfo("New");
        ConversationChange[] changes =
        [
            new ConversationChange.ChangeMembers(["cid"], ["bob"]),
            new ConversationChange.SetGroupInfo(info),
            new ConversationChange.SwitchFanout(FanoutNames.Read, true),
        ];
        for (var i = 0; i < changes.Length; i++)
        {
            var result = await StoreAsync(Change(Id, "ann", To("ann"), i + 1, changes[i]));
            Assert.Equal((i + 2L, i + 2L), (result.Seq.Value, result.Version));
        }

        await StoreAsync(Message(Id, "ann", To("ann"), version: 4));
        var group = await GroupAsync();
        Assert.Equal((info, 4L, FanoutNames.Read, true), (group.Info, group.Version, group.Fanout, group.FanoutPinned));
        Assert.Equal(["ann", "cid"], group.Members.ToArray());
    }

    /// <summary>Nobody is told of a change that was none.</summary>
    [Fact]
    public virtual async Task AChangeThatChangesNothingAppendsNothing()
    {
        await StoreAsync(Create(Id, FanoutNames.Write, "ann", "bob"));
        ConversationChange[] changes =
        [
            new ConversationChange.ChangeMembers([], []),
            new ConversationChange.ChangeMembers(["ann", "bob"], ["cid"]),
            new ConversationChange.SetGroupInfo(new GroupInfo(Id)),
            new ConversationChange.SwitchFanout(FanoutNames.Write, false),
        ];
        foreach (var change in changes)
        {
            Assert.Equal(AppendOutcome.Unchanged, await OutcomeAsync(Change(Id, "ann", To("ann"), 1, change, id: "x")));
        }

        Assert.Equal(1, (await GroupAsync()).Version);
        Assert.Single(await InboxAsync("ann"));
        Assert.Equal(AppendOutcome.Stored, await OutcomeAsync(Message(Id, "ann", To("ann"), version: 1, id: "x")));
    }

    /// <summary>A dissolved group has no members and stays so.</summary>
    [Fact]
    public virtual async Task ADissolvedGroupHasNoMembersAndDoesNotChange()
    {
        await StoreAsync(Create(Id, FanoutNames.Write, "ann", "bob"));
        var dissolved = await StoreAsync(Change(Id, "ann", To("ann", "bob"), 1, new ConversationChange.DissolveGroup()));

        Assert.Equal(2, dissolved.Version);
        var group = await GroupAsync();
        Assert.True(group.IsDissolved);
        Assert.Empty(group.Members);
        foreach (var change in new ConversationChange[]
        {
            new ConversationChange.DissolveGroup(),
            new ConversationChange.ChangeMembers(["eve"], []),
            new ConversationChange.SetGroupInfo(new GroupInfo("x")),
            new ConversationChange.SwitchFanout(FanoutNames.Read, false),
        })
        {
            Assert.Equal(AppendOutcome.Unchanged, await OutcomeAsync(Change(Id, "ann", Audience.None, 2, change)));
        }
    }

    /// <summary>The same answer for a group of thousands.</summary>
    [Fact]
    public virtual async Task ManyMembersComeAndGoAtOnce()
    {
        string[] many = [.. Enumerable.Range(0, 300).Select(i => $"u{i}").Order(StringComparer.Ordinal)];
        await StoreAsync(Create(Id, FanoutNames.Read, many[..100]));
        await StoreAsync(Change(
            Id, "u0", Audience.None, 1, new ConversationChange.ChangeMembers([.. many.Reverse()], [.. many[50..100]])));
        string[] left = [.. many[..50], .. many[100..]];
        Assert.Equal(left, await MembersAsync());
        await StoreAsync(Change(Id, "u0", Audience.None, 2, new ConversationChange.ChangeMembers([many[60]], [many[0], many[299]])));

        left = [.. many[1..50], many[60], .. many[100..299]];
        Assert.Equal(left, await MembersAsync());
    }

    /// <summary>Answers stand in the order of the questions; a direct conversation is no group.</summary>
    [Fact]
    public virtual async Task GroupsAreReadInTheOrderAsked()
    {
        var direct = ConversationId.Direct("ann", "bob");
        await StoreAsync(Message(direct, "ann", To("ann", "bob")));
        await StoreAsync(Create("g:b", FanoutNames.Write, "ann"));
        await StoreAsync(Create("g:a", FanoutNames.Write, "ann"));

        var groups = await Groups.GetGroupsAsync(["g:b", "g:none", direct, "g:a", "g:b"], int.MaxValue, CancellationToken.None).Soon();

        Assert.Equal(["g:b", null, null, "g:a", "g:b"], groups.Select(group => group?.ConversationId));
    }

    private async Task<string[]> MembersAsync() => [.. (await GroupAsync()).Members];

    private async Task<StoredGroup> GroupAsync() => (await Groups.GetGroupsAsync([Id], int.MaxValue, CancellationToken.None).Soon())[0]!;
}
