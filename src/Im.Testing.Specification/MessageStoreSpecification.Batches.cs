using Im.Fanout;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

public abstract partial class MessageStoreSpecification
{
    /// <summary>Trap 2: one resend among many messages neither leaves a run without a body nor delays what strangers sent.</summary>
    [Fact]
    public virtual async Task OneDuplicateInABatchNeitherLeavesARunWithoutABodyNorDelaysStrangers()
    {
        var strangers = ConversationId.Direct("eve", "fay");
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        await StoreAsync(Message(Group, "ann", Both, version: 1, id: "again"));
        for (var place = 0; place < 4; place++)
        {
            var items = new List<AppendItem>
            {
                Message(Group, "bob", Both, version: 1, id: $"{place}a"),
                Message(strangers, "eve", To("eve", "fay"), id: $"{place}b"),
                Message(Group, "ann", Both, version: 1, id: $"{place}c"),
            };
            items.Insert(place, Message(Group, "ann", Both, version: 1, id: "again"));
            var result = await AppendAsync([.. items]);

            Assert.Equal(2, result.Items[place].Seq.Value);
            Assert.Equal(AppendOutcome.Duplicate, result.Items[place].Outcome);
            Assert.Equal(3, result.Items.Count(item => item.Outcome == AppendOutcome.Stored));
            Assert.Equal([$"{place}a", $"{place}b", $"{place}c"], Ids(await ExpandAsync(result.Runs)).Order());
            Assert.Equal(3, result.Runs.Sum(run => run.Count));
        }

        foreach (var user in new[] { "ann", "bob", "eve", "fay" })
        {
            Assert.All(await InboxAsync(user), entry => Assert.True(entry is { IsGone: false, Body.Length: > 0 }));
        }

        Assert.Equal(2 + (2 * 4), (await HeadAsync(TimelineKey.Conversation(Group))).Head);
        Assert.Equal(4, (await HeadAsync(TimelineKey.Conversation(strangers))).Head);
        Assert.Equal(1, Ids(await InboxAsync("bob")).Count(id => id == "again"));
    }

    /// <summary>A client whose ids repeat spoils nobody else's message.</summary>
    [Fact]
    public virtual async Task AReusedIdInABatchRefusesItsItemOnly()
    {
        await StoreAsync(Message(Direct, "ann", Both, id: "x"));
        var result = await AppendAsync(
            Message(Direct, "bob", Both, id: "1"), Message(Direct, "ann", Both, id: "x", body: "another"), Message(Direct, "ann", Both, id: "2"));

        Assert.Equal([AppendOutcome.Stored, AppendOutcome.ClientIdReused, AppendOutcome.Stored], result.Items.Select(item => item.Outcome));
        Assert.Equal([2L, 0L, 3L], result.Items.Select(item => item.Seq.Value));
        Assert.Equal(["x", "1", "2"], Ids(await InboxAsync("bob")));
    }

    /// <summary>A batch of nothing but resends is answered like any other and appends nothing.</summary>
    [Fact]
    public virtual async Task ABatchOfDuplicatesAppendsNothing()
    {
        AppendItem[] items = [.. Enumerable.Range(0, 5).Select(i => Message(Direct, "ann", Both, id: "m" + i))];
        var first = await AppendAsync(items);
        var second = await AppendAsync(items);

        Assert.Equal(first.Items.Select(item => item with { Outcome = AppendOutcome.Duplicate }), second.Items);
        Assert.Empty(second.Runs);
        Assert.Empty(second.Classes);
        Assert.Equal([5L, 5L, 5L], second.Heads.ToArray());
    }

    /// <summary>Large groups: a message to thousands of inboxes is one commit, and every one has it.</summary>
    [Fact]
    public virtual async Task AMessageForThousandsReachesEveryInbox()
    {
        var everyone = To([.. Enumerable.Range(0, 2000).Select(i => "u" + i)]);
        await StoreAsync(Create(Group, FanoutNames.Write, [.. everyone.UserIds]));
        var result = await AppendAsync(Message(Group, "u0", everyone, version: 1), Message(Group, "u1", everyone, version: 1));

        Assert.Equal(2000, result.Classes.Sum(c => c.UserIds.Count));
        var heads = await Messages.GetHeadsAsync([.. everyone.UserIds.Select(TimelineKey.Inbox)], CancellationToken.None).Soon();
        Assert.All(heads, head => Assert.Equal(3, head.Head));
        Assert.Equal(3, (await InboxAsync("u1999")).Count);
    }
}
