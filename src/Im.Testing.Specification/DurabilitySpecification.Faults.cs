using Im.Fanout;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

public abstract partial class DurabilitySpecification
{
    private ICommitFaults Faults =>
        Fixture as ICommitFaults ?? throw new MissingAbilityException("The fixture cannot lose a connection while committing (ICommitFaults).");

    /// <summary>Trap 2: a commit whose answer was lost is decided: acked once, pushed once, and the numbers have no hole.</summary>
    [AbilityFact]
    public virtual async Task AnAmbiguousCommitThatHappenedIsAnsweredAsStored()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        await StoreAsync(Message(Group, "ann", Both, version: 1, id: "old"));
        Faults.FailNextCommit(CommitFault.AfterItHappened);

        var result = await AppendAsync(
            7,
            [
                Message(Group, "ann", Both, version: 1, id: "old"),
                Message(Group, "ann", Both, version: 1, id: "1"),
                Message(Direct, "bob", Both, id: "2"),
                Message(Group, "ann", Both, version: 9, id: "stale"),
                Message(Group, "bob", Both, version: 1, id: "3"),
            ]);

        Assert.Equal(
            [AppendOutcome.Duplicate, AppendOutcome.Stored, AppendOutcome.Stored, AppendOutcome.StaleVersion, AppendOutcome.Stored],
            result.Items.Select(item => item.Outcome));
        Assert.Equal([2L, 3L, 1L, 0L, 4L], result.Items.Select(item => item.Seq.Value));
        Assert.Equal(["1", "2", "3"], Ids(await ExpandAsync(result.Runs)).Order());
        Assert.Equal(["ann", "bob"], result.Classes.SelectMany(c => c.UserIds).Order());
        Assert.All(result.Classes, c => Assert.All(c.FirstSeqs.ToArray(), seq => Assert.Equal(3, seq)));
        await CheckOnceAsync(4, 1, 7);
    }

    /// <summary>Nothing is said to be stored that was not: the sender is told to try again, and then it is stored once.</summary>
    [AbilityFact]
    public virtual async Task ACommitThatWasLostIsStoredOnceByTryingAgain()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        await StoreAsync(Message(Group, "ann", Both, version: 1, id: "old"));
        Faults.FailNextCommit(CommitFault.BeforeItHappens);
        AppendItem[] items =
        [
            Message(Group, "ann", Both, version: 1, id: "1"), Message(Direct, "bob", Both, id: "2"), Message(Group, "bob", Both, version: 1, id: "3"),
        ];

        // A store may try again itself, or leave that to its caller; what it may not is to say that it does not know.
        AppendResult result;
        try
        {
            result = await AppendAsync(7, items);
        }
        catch (ImStorageException exception)
        {
            Assert.Equal(ImStorageFailure.Unavailable, exception.Failure);
            Assert.Equal(2, (await HeadAsync(TimelineKey.Conversation(Group))).Head);
            Assert.Equal([null, null], await Messages.FindSentAsync([new("ann", "1"), new("bob", "2")], CancellationToken.None).Soon());
            result = await AppendAsync(7, items);
        }

        Assert.All(result.Items, item => Assert.Equal(AppendOutcome.Stored, item.Outcome));
        Assert.Equal([3L, 1L, 4L], result.Items.Select(item => item.Seq.Value));
        await CheckOnceAsync(4, 1, 7);
    }

    /// <summary>A change of members whose commit was in doubt happens once: one entry, one version more.</summary>
    [AbilityFact]
    public virtual async Task AnAmbiguousChangeHappensOnce()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        Faults.FailNextCommit(CommitFault.AfterItHappened);
        var change = Change(Group, "ann", To("ann", "bob", "cid"), 1, new ConversationChange.ChangeMembers(["cid"], []), id: "join");

        var item = (await AppendAsync(7, [change])).Items[0];

        Assert.Equal((AppendOutcome.Stored, 2L, 2L), (item.Outcome, item.Seq.Value, item.Version));
        var group = (await Groups.GetGroupsAsync([Group], int.MaxValue, CancellationToken.None).Soon())[0]!;
        Assert.Equal((2L, 3), (group.Version, group.Members.Length));
        Assert.Equal(AppendOutcome.Duplicate, await OutcomeAsync(change));
        Assert.Single(await InboxAsync("cid"));
    }

    private async Task<AppendResult> AppendAsync(long number, AppendItem[] items) =>
        await Messages.AppendAsync(Numbered(Batch(items, null, Node), number), CancellationToken.None).Soon();

    private async Task CheckOnceAsync(long groupHead, long directHead, long lastBatch)
    {
        await ReopenAsync();
        Assert.Equal(groupHead, (await HeadAsync(TimelineKey.Conversation(Group))).Head);
        Assert.Equal(directHead, (await HeadAsync(TimelineKey.Conversation(Direct))).Head);
        Assert.Equal(lastBatch, await LastBatchAsync(Node));
        foreach (var user in Both.UserIds)
        {
            Assert.Equal(["1", "2", "3", "old"], Ids(await InboxAsync(user)).Skip(1).Order());
        }

        Assert.Equal(groupHead + 1, (await StoreAsync(Message(Group, "ann", Both, version: 1))).Seq.Value);
    }
}
