using Im.Devices;
using Im.Fanout;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

/// <summary>What a restart of the server, or a connection lost while committing, must not change.</summary>
public abstract partial class DurabilitySpecification(IStorageFixture fixture) : StorageSpecification(fixture)
{
    private const string Group = "g:team";
    private const string Node = "durable";
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private static readonly Audience Both = To("ann", "bob");

    /// <summary>Devices keep their cursors over a restart of the server: no reset without a reason.</summary>
    [Fact]
    public virtual async Task TheGenerationSurvivesReopening()
    {
        var generation = await Messages.GetGenerationAsync(CancellationToken.None).Soon();
        await ReopenAsync();
        Assert.Equal(generation, await Messages.GetGenerationAsync(CancellationToken.None).Soon());
        await StoreAsync(Message(Direct, "ann", Both));
        await ReopenAsync();
        Assert.Equal(generation, await Messages.GetGenerationAsync(CancellationToken.None).Soon());
    }

    /// <summary>Cursors of the storage that was there before mean nothing in an emptied one, and devices must be told.</summary>
    [Fact]
    public virtual async Task AnEmptiedStorageHasAnotherGeneration()
    {
        var generation = await Messages.GetGenerationAsync(CancellationToken.None).Soon();
        await ResetAsync();
        Assert.NotEqual(generation, await Messages.GetGenerationAsync(CancellationToken.None).Soon());
    }

    /// <summary>What was acknowledged is there after a restart, in the same places, and the numbers go on without a hole.</summary>
    [Fact]
    public virtual async Task MessagesAndInboxesSurviveReopening()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        for (var i = 0; i < 5; i++)
        {
            await AppendAsync(
                Message(Group, "ann", Both, version: 1, id: "g" + i), Message(Direct, "bob", Both, id: "d" + i, body: "héllo " + i));
        }

        var before = await InboxAsync("bob");
        var page = await ReadAsync("bob");
        await ReopenAsync();

        Assert.Equal(page.Runs, (await ReadAsync("bob")).Runs);
        Assert.Equal(page.Head, await HeadAsync(TimelineKey.Inbox("bob")));
        var after = await InboxAsync("bob");
        Assert.Equal(before.Select(Header), after.Select(Header));
        Assert.All(before.Zip(after), pair => Assert.True(pair.First.Body.Span.SequenceEqual(pair.Second.Body.Span)));
        Assert.Equal(6, (await StoreAsync(Message(Direct, "bob", Both))).Seq.Value);
        Assert.Equal(12, (await HeadAsync(TimelineKey.Inbox("bob"))).Head);

        static (string, long, long, string, string, string, long, EntryKind, bool) Header(StoredEntry entry) =>
            (entry.ConversationId, entry.Seq.Value, entry.Ordinal, entry.SenderId, entry.SenderDeviceId, entry.ClientMessageId, entry.TimeMs,
                entry.Kind, entry.IsGone);
    }

    /// <summary>Trap 2: a resend after a restart of the server gets the original answer and is stored once.</summary>
    [Fact]
    public virtual async Task AResendAfterReopeningGetsTheOriginalAnswer()
    {
        await StoreAsync(Message(Direct, "bob", Both));
        var original = await StoreAsync(Message(Direct, "ann", Both, id: "x", timeMs: 5));
        await ReopenAsync();

        var again = (await AppendAsync(Message(Direct, "ann", Both, id: "x", timeMs: 9))).Items[0];
        Assert.Equal(
            (AppendOutcome.Duplicate, Direct, original.Seq, 5L), (again.Outcome, again.ConversationId, again.Seq, again.TimeMs));
        Assert.Equal(AppendOutcome.ClientIdReused, await OutcomeAsync(Message(Direct, "ann", Both, id: "x", body: "another")));
        Assert.Equal(2, (await InboxAsync("bob")).Count);
    }

    /// <summary>A restart forgets no member, no mark, no setting and no stay.</summary>
    [Fact]
    public virtual async Task GroupsMarksAndStaysSurviveReopening()
    {
        var info = new GroupInfo("Team", "http://avatar", "{}");
        await StoreAsync(Change(
            Group, "ann", To("ann", "bob", "cid"), 0, new ConversationChange.CreateGroup(info, FanoutNames.Read, true, ["ann", "bob", "cid"])));
        await StoreAsync(Message(Group, "ann", Audience.None, version: 1));
        await StoreAsync(Change(Group, "ann", To("ann", "bob", "cid"), 1, new ConversationChange.ChangeMembers([], ["cid"])));
        await StoreAsync(Message(Group, "ann", Audience.None, version: 2));
        await StoreAsync(Message(Group, "ann", Audience.None, version: 2));
        await StoreAsync(Mark("bob", Group, 4));
        await StoreAsync(Message(Direct, "ann", Both));
        await StoreAsync(Create("g:gone", FanoutNames.Write, "ann"));
        await StoreAsync(Change("g:gone", "ann", To("ann"), 1, new ConversationChange.DissolveGroup()));
        await ReopenAsync();

        var groups = await Groups.GetGroupsAsync([Group, "g:gone"], int.MaxValue, CancellationToken.None).Soon();
        Assert.Equal(
            (info, 2L, FanoutNames.Read, true, false),
            (groups[0]!.Info, groups[0]!.Version, groups[0]!.Fanout, groups[0]!.FanoutPinned, groups[0]!.IsDissolved));
        Assert.Equal(["ann", "bob"], groups[0]!.Members.ToArray());
        Assert.True(groups[1]!.IsDissolved);
        var seen = (await SeeAsync("bob", Group))!;
        Assert.Equal((5L, 4L, 1L, 2), (seen.Head.Head, seen.ReadSeq.Value, seen.Unread, seen.MemberCount));
        Assert.Equal(1, (await SeeAsync("bob", Direct))!.Unread);
        Assert.Equal(
            [new Membership(new(1), new(3))], await Conversations.GetMembershipsAsync("cid", Group, CancellationToken.None).Soon());
        var parts = await Conversations.GetReadTimelinesAsync("cid", [Group], default, CancellationToken.None).Soon();
        Assert.Equal([(1L, (long?)2L)], parts.Select(part => (part.After.Value, part.Last?.Value)));
        Assert.Equal(AppendOutcome.StaleVersion, await OutcomeAsync(Message(Group, "ann", Audience.None, version: 1)));
        Assert.Equal(AppendOutcome.Stored, await OutcomeAsync(Message(Group, "ann", Audience.None, version: 2)));
    }

    /// <summary>A device gets nothing twice because the server was restarted.</summary>
    [Fact]
    public virtual async Task DevicesAndAcksSurviveReopening()
    {
        await AppendAsync(Message(Direct, "bob", Both), Message(Direct, "bob", Both), Message(Direct, "bob", Both));
        var device = new ImDevice { UserId = "ann", DeviceId = "phone", Type = "phone", Os = "ö", LastSignInMs = 5 };
        await Devices.SaveAsync(device, CancellationToken.None).Soon();
        await Devices.AckAsync([new("ann", "phone", TimelineKey.Inbox("ann"), 2)], CancellationToken.None).Soon();
        await ReopenAsync();

        Assert.Equal([device], await Devices.ListAsync("ann", CancellationToken.None).Soon());
        Assert.Equal(2, await Devices.GetAckAsync("ann", "phone", TimelineKey.Inbox("ann"), CancellationToken.None).Soon());
        await Devices.AckAsync([new("ann", "phone", TimelineKey.Inbox("ann"), 1)], CancellationToken.None).Soon();
        Assert.Equal(2, await Devices.GetAckAsync("ann", "phone", TimelineKey.Inbox("ann"), CancellationToken.None).Soon());
    }

    /// <summary>What was erased stays erased.</summary>
    [Fact]
    public virtual async Task ABodyThatIsGoneIsGoneAfterReopening()
    {
        await AppendAsync(Message(Direct, "ann", Both), Message(Direct, "ann", Both));
        await Fixture.DropBodyAsync(Direct, new(1)).Soon();
        await ReopenAsync();

        Assert.Equal([true, false], (await InboxAsync("bob")).Select(entry => entry.IsGone));
    }

    /// <summary>Heads that were known before a restart are judged by what is stored, not by what the new process has seen.</summary>
    [Fact]
    public virtual async Task AStaleHeadIsRefusedAfterReopening()
    {
        await AppendAsync(Message(Direct, "ann", Both), Message(Direct, "ann", Both));
        await ReopenAsync();

        var stale = await Messages.AppendAsync(Batch([Message(Direct, "ann", Both)], _ => 1), CancellationToken.None).Soon();
        Assert.False(stale.Committed);
        Assert.Equal([2L, 2L, 2L], stale.Heads.ToArray());
        Assert.True((await Messages.AppendAsync(Batch([Message(Direct, "ann", Both)], _ => 2), CancellationToken.None).Soon()).Committed);
    }

    /// <summary>A node goes on numbering its commits where it stopped, so that nobody who follows its log takes two commits for one.</summary>
    [Fact]
    public virtual async Task ANodesLastBatchNumberIsThatOfItsLastCommit()
    {
        Assert.Equal(0, await LastBatchAsync(Node));
        await AppendAsync(41, Message(Direct, "ann", Both));
        Assert.Equal(41, await LastBatchAsync(Node));
        await AppendAsync(42, Message(Direct, "ann", Both));
        Assert.Equal(42, await LastBatchAsync(Node));
        await ReopenAsync();
        Assert.Equal(42, await LastBatchAsync(Node));
        Assert.Equal(0, await LastBatchAsync("another"));
        Assert.Equal(0, await LastBatchAsync(Node.ToUpperInvariant()));
    }

    /// <summary>A batch that was refused is proposed again under its number: it must be free.</summary>
    [Fact]
    public virtual async Task ARefusedBatchTakesNoNumber()
    {
        await AppendAsync(1, Message(Direct, "ann", Both));
        var batch = Batch([Message(Direct, "ann", Both)], _ => 0, Node);
        var refused = await Messages.AppendAsync(Numbered(batch, 2, [0, 0, 0]), CancellationToken.None).Soon();
        Assert.False(refused.Committed);
        Assert.Equal(1, await LastBatchAsync(Node));

        var again = await Messages.AppendAsync(Numbered(batch, 2, [1, 1, 1]), CancellationToken.None).Soon();
        Assert.True(again.Committed);
        Assert.Equal(2, await LastBatchAsync(Node));
    }

    /// <summary>A health check writes, and leaves nothing that anybody could read.</summary>
    [AbilityFact]
    public virtual async Task AProbeSucceedsAndChangesNothing()
    {
        var probe = Stores.Probe ?? throw new MissingAbilityException("The fixture's StoreSet has no Probe (IStorageProbe).");
        await StoreAsync(Message(Direct, "ann", Both));
        for (var i = 0; i < 3; i++)
        {
            await probe.ProbeAsync(CancellationToken.None).Soon();
        }

        Assert.Single(await InboxAsync("ann"));
        Assert.Equal(2, (await StoreAsync(Message(Direct, "ann", Both))).Seq.Value);
    }

    private Task<long> LastBatchAsync(string node) => Messages.GetLastBatchNumberAsync(node, CancellationToken.None).Soon();

    private async Task AppendAsync(long number, AppendItem item) =>
        Assert.True((await Messages.AppendAsync(Numbered(Batch([item], null, Node), number), CancellationToken.None).Soon()).Committed);

    private static AppendBatch Numbered(AppendBatch batch, long number, long[]? heads = null) => new()
    {
        NodeName = batch.NodeName,
        BatchNumber = number,
        Items = batch.Items,
        Timelines = batch.Timelines,
        ProposedHeads = heads ?? batch.ProposedHeads,
    };
}
