using System.Text;
using Im.Fanout;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

/// <summary>The rules of members that are looked up and paged.</summary>
public abstract partial class GroupStoreSpecification
{
    /// <summary>A server does not get a hundred thousand members that it did not ask for.</summary>
    [Fact]
    public virtual async Task MembersComeOnlyWithGroupsThatHaveAtMostSoMany()
    {
        await StoreAsync(Create("g:two", FanoutNames.Write, "ann", "bob"));
        await StoreAsync(Create("g:three", FanoutNames.Read, "ann", "bob", "cid"));

        var groups = await Groups.GetGroupsAsync(["g:two", "g:three"], 2, CancellationToken.None).Soon();
        Assert.Equal([(2, false), (3, true)], groups.Select(group => (group!.MemberCount, group.Members.IsDefault)));
        Assert.Equal(["ann", "bob"], groups[0]!.Members.ToArray());
        Assert.True((await Groups.GetGroupsAsync(["g:two"], 0, CancellationToken.None).Soon())[0]!.Members.IsDefault);
        await StoreAsync(Change("g:three", "ann", Audience.None, 1, new ConversationChange.ChangeMembers([], ["bob"])));
        Assert.Equal(["ann", "cid"], (await Groups.GetGroupsAsync(["g:three"], 2, CancellationToken.None).Soon())[0]!.Members.ToArray());
    }

    /// <summary>Trap 3: who may send is answered for exactly one version, which the append then relies on.</summary>
    [Fact]
    public virtual async Task AUserIsFoundAtTheVersionAtWhichItIsAMember()
    {
        await StoreAsync(Message(ConversationId.Direct("ann", "bob"), "ann", To("ann", "bob")));
        Assert.Null(await FindAsync("ann"));
        Assert.Null(await Groups.FindMembersAsync(ConversationId.Direct("ann", "bob"), ["ann"], CancellationToken.None).Soon());
        await StoreAsync(Create(Id, FanoutNames.Read, "ann", "bob"));
        await FindsAsync(1, ("bob", true), ("cid", false), ("ann", true), ("bob", true), ("an", false), ("ann ", false));
        await StoreAsync(Change(Id, "ann", To("bob", "cid"), 1, new ConversationChange.ChangeMembers(["cid"], ["bob"])));
        await FindsAsync(2, ("ann", true), ("bob", false), ("cid", true));
        await StoreAsync(Change(Id, "ann", To("bob"), 2, new ConversationChange.ChangeMembers(["bob"], [])));
        await FindsAsync(3, ("bob", true));
        await FindsAsync(3);
        await StoreAsync(Change(Id, "ann", Audience.None, 3, new ConversationChange.DissolveGroup()));
        await FindsAsync(4, ("ann", false), ("bob", false));

        async Task FindsAsync(long version, params (string UserId, bool IsMember)[] expected)
        {
            var found = (await FindAsync([.. expected.Select(user => user.UserId)]))!.Value;
            Assert.Equal(version, found.Version);
            Assert.Equal(expected.Select(user => user.IsMember), found.IsMember);
        }
    }

    /// <summary>A list of members on a screen shows each of them once, whatever their names.</summary>
    [Fact]
    public virtual async Task PagesShowEachMemberOnceInTheOrderOfBytes()
    {
        Assert.Null(await Groups.ReadMembersAsync(Id, null, 10, CancellationToken.None).Soon());

        // U+1F600 is two surrogates below U+FFFD as UTF-16, and above it as UTF-8.
        string[] users = ["Z", "a", "a b", "aa", "b", "z", "\u00E9", "\uE000", "\uFFFD", "😀", "😀a", "😁"];
        await StoreAsync(Create(Id, FanoutNames.Read, [.. users.Reverse()]));
        string[] sorted = [.. users.Order(Comparer<string>.Create(static (x, y) => Encoding.UTF8.GetBytes(x).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y))))];
        Assert.Equal(users, sorted);
        foreach (var limit in new[] { 1, 5, users.Length, 100 })
        {
            Assert.Equal(sorted, (await ReadAllAsync(limit)).Select(member => member.UserId));
        }

        // After whom a page begins need not be a member.
        Assert.Equal(["aa", "b"], (await PageAsync("a c", 2)).Members.Select(member => member.UserId));
        Assert.Empty((await PageAsync("😁", 2)).Members);
        await StoreAsync(Change(Id, "Z", Audience.None, 1, new ConversationChange.DissolveGroup()));
        Assert.Empty((await PageAsync(null, 2)).Members);
    }

    /// <summary>Who reads pages while members come and go must notice: two pages belong together only where their versions are equal.</summary>
    [Fact]
    public virtual async Task APageTellsOfWhichVersionItIs()
    {
        await StoreAsync(Create(Id, FanoutNames.Read, "a", "b", "c", "d"));
        var first = await PageAsync(null, 2);
        await StoreAsync(Message(Id, "a", Audience.None, version: 1));
        await StoreAsync(Change(Id, "a", To("a", "b", "e"), 1, new ConversationChange.ChangeMembers(["e", "ab"], ["a", "c"])));
        var second = await PageAsync("b", 2);

        Assert.Equal((1L, 2L), (first.Version, second.Version));
        Assert.Equal([new GroupMember("a", new(1)), new GroupMember("b", new(1))], first.Members);
        Assert.Equal([new GroupMember("d", new(1)), new GroupMember("e", new(3))], second.Members);
        Assert.Equal(["ab", "b", "d", "e"], (await ReadAllAsync(3)).Select(member => member.UserId));

        // Who comes again has joined again.
        await StoreAsync(Change(Id, "b", To("a"), 2, new ConversationChange.ChangeMembers(["a"], [])));
        Assert.Equal(new GroupMember("a", new ConversationSeq(4)), (await PageAsync(null, 1)).Members[0]);
    }

    private async Task<List<GroupMember>> ReadAllAsync(int limit)
    {
        var all = new List<GroupMember>();
        while (true)
        {
            var page = await PageAsync(all.Count == 0 ? null : all[^1].UserId, limit);
            Assert.InRange(page.Members.Count, 0, limit);
            all.AddRange(page.Members);
            if (page.Members.Count < limit)
            {
                return all;
            }
        }
    }

    private async Task<FoundMembers?> FindAsync(params string[] userIds) =>
        await Groups.FindMembersAsync(Id, userIds, CancellationToken.None).Soon();

    private async Task<MemberPage> PageAsync(string? after, int limit) =>
        (await Groups.ReadMembersAsync(Id, after, limit, CancellationToken.None).Soon())!;
}
