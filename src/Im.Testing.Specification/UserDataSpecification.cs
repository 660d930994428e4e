using System.Text;
using Im.Devices;
using Im.Fanout;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="IUserDataStore"/>. Skipped, visibly, where the adapter has none.</summary>
public abstract class UserDataSpecification(IStorageFixture fixture) : StorageSpecification(fixture)
{
    private const string Group = "g:team";
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private static readonly Audience Both = To("ann", "bob");

    /// <summary>What a user asked to have erased nobody reads any more, on any path; what others wrote stays, and so do all places.</summary>
    [AbilityFact]
    public virtual async Task ErasedBodiesAreGoneAndEverythingElseStays()
    {
        for (var i = 1; i <= 6; i++)
        {
            await StoreAsync(Message(Direct, i % 2 == 1 ? "ann" : "bob", Both, id: "m" + i, body: "text " + i, timeMs: i));
        }

        Assert.Equal(3, await EraseAsync(Direct, 1, 6, "ann"));

        foreach (var entries in new[] { await InboxAsync("bob"), await ExpandAsync([new Run(Direct, new(1), 6)]) })
        {
            Assert.Equal(["m1", "m2", "m3", "m4", "m5", "m6"], Ids(entries));
            for (var i = 1; i <= 6; i++)
            {
                var entry = entries[i - 1];
                Assert.Equal((i % 2 == 1, (long)i, (long)i, (long)i), (entry.IsGone, entry.Seq.Value, entry.Ordinal, entry.TimeMs));
                Assert.Equal(entry.IsGone ? "" : "text " + i, Encoding.UTF8.GetString(entry.Body.Span));
            }
        }

        Assert.Equal(new TimelineHead(TimelineKey.Conversation(Direct), 6, 1, 6), await HeadAsync(TimelineKey.Conversation(Direct)));
        Assert.Equal(AppendOutcome.Duplicate, await OutcomeAsync(Message(Direct, "ann", Both, id: "m1", body: "text 1")));
    }

    /// <summary>The caller goes in small steps: each erases what lies between two seqs, both included, and tells how many it were.</summary>
    [AbilityFact]
    public virtual async Task OnlyWhatLiesBetweenTheSeqsIsErasedAndOnce()
    {
        for (var i = 1; i <= 10; i++)
        {
            await StoreAsync(Message(Direct, "ann", Both));
        }

        Assert.Equal(3, await EraseAsync(Direct, 4, 6, "ann"));
        Assert.Equal(0, await EraseAsync(Direct, 4, 6, "ann"));
        Assert.Equal([4L, 5L, 6L], (await InboxAsync("bob")).Where(entry => entry.IsGone).Select(entry => entry.Seq.Value));
        Assert.Equal(1, await EraseAsync(Direct, 1, 1, "ann"));
        Assert.Equal(6, await EraseAsync(Direct, 1, 1000, "ann"));
        Assert.Equal(0, await EraseAsync(Direct, 1, 1000, "ann"));
        Assert.Equal(0, await EraseAsync(Direct, 1, 1000, "Ann"));
        Assert.Equal(0, await EraseAsync("g:none", 1, 1000, "ann"));
    }

    /// <summary>What happened to a group is not one member's message: it stays.</summary>
    [AbilityFact]
    public virtual async Task ChangesAreNotErased()
    {
        await StoreAsync(Create(Group, FanoutNames.Write, "ann", "bob"));
        await StoreAsync(Message(Group, "ann", Both, version: 1));
        await StoreAsync(Change(Group, "ann", Both, 1, new ConversationChange.SetGroupInfo(new GroupInfo("new"))));

        Assert.Equal(1, await EraseAsync(Group, 1, 3, "ann"));
        Assert.Equal([false, true, false], (await InboxAsync("bob")).Select(entry => entry.IsGone));
        Assert.Equal("new", (await Groups.GetGroupsAsync([Group], int.MaxValue, CancellationToken.None).Soon())[0]!.Info.Name);
    }

    /// <summary>Others' unread counts do not jump because somebody left.</summary>
    [AbilityFact]
    public virtual async Task UnreadCountsAndTheNewestEntryStay()
    {
        await AppendAsync(Message(Direct, "ann", Both), Message(Direct, "ann", Both, id: "newest"));
        await EraseAsync(Direct, 1, 2, "ann");

        var seen = (await SeeAsync("bob", Direct))!;
        Assert.Equal((2L, "newest", true), (seen.Unread, seen.LastEntry!.ClientMessageId, seen.LastEntry.IsGone));
    }

    /// <summary>Erased is for ever.</summary>
    [AbilityFact]
    public virtual async Task WhatWasErasedStaysErasedAfterReopening()
    {
        await AppendAsync(Message(Direct, "ann", Both), Message(Direct, "bob", Both));
        await EraseAsync(Direct, 1, 2, "ann");
        await ReopenAsync();
        Assert.Equal([true, false], (await InboxAsync("bob")).Select(entry => entry.IsGone));
    }

    /// <summary>An export or an erasure finds every conversation where the user ever was, page by page, none twice.</summary>
    [AbilityFact]
    public virtual async Task EveryStayIsListedInOrderPageByPage()
    {
        await StoreAsync(Message(Direct, "ann", Both));
        await StoreAsync(Message(ConversationId.Own("ann"), "ann", To("ann")));
        await StoreAsync(Create("g:left", FanoutNames.Write, "ann", "bob"));
        await StoreAsync(Change("g:left", "bob", Both, 1, new ConversationChange.ChangeMembers([], ["ann"])));
        await StoreAsync(Create("g:back", FanoutNames.Read, "ann", "bob"));
        await StoreAsync(Change("g:back", "bob", Both, 1, new ConversationChange.ChangeMembers([], ["ann"])));
        await StoreAsync(Change("g:back", "bob", Both, 2, new ConversationChange.ChangeMembers(["ann"], [])));
        await StoreAsync(Create("g:gone", FanoutNames.Write, "ann"));
        await StoreAsync(Change("g:gone", "ann", To("ann"), 1, new ConversationChange.DissolveGroup()));
        await StoreAsync(Create("g:others", FanoutNames.Write, "bob"));
        string[] expected = [Direct, "g:back", "g:gone", "g:left", ConversationId.Own("ann")];
        for (var limit = 1; limit <= 6; limit++)
        {
            var listed = new List<UserStays>();
            while (true)
            {
                var page = await UserData.ListStaysAsync("ann", listed.Count == 0 ? null : listed[^1].ConversationId, limit, CancellationToken.None).Soon();
                listed.AddRange(page);
                if (page.Count < limit)
                {
                    break;
                }
            }

            Assert.Equal(expected, listed.Select(stays => stays.ConversationId));
            foreach (var stays in listed)
            {
                Assert.Equal(await HeadAsync(TimelineKey.Conversation(stays.ConversationId)), stays.Head);
            }

            Assert.Equal(
                [new Membership(new(1), new(2)), new Membership(new(3), null)],
                listed.Single(stays => stays.ConversationId == "g:back").Stays);
            Assert.Equal([new Membership(new(1), new(2))], listed.Single(stays => stays.ConversationId == "g:left").Stays);
        }

        Assert.Empty(await UserData.ListStaysAsync("nobody", null, 10, CancellationToken.None).Soon());
    }

    /// <summary>A user who is forgotten has no devices left; other users keep theirs, and the user may come back.</summary>
    [AbilityFact]
    public virtual async Task ForgettingDevicesForgetsTheirAcksToo()
    {
        var inbox = TimelineKey.Inbox("ann");
        await AppendAsync(Message(Direct, "ann", Both), Message(Direct, "ann", Both));
        foreach (var user in Both.UserIds)
        {
            await SaveAsync(user);
            await Devices.AckAsync([new(user, "phone", TimelineKey.Inbox(user), 2)], CancellationToken.None).Soon();
        }

        await UserData.ForgetDevicesAsync("ann", CancellationToken.None).Soon();

        Assert.Empty(await Devices.ListAsync("ann", CancellationToken.None).Soon());
        Assert.Equal(0, await Devices.GetAckAsync("ann", "phone", inbox, CancellationToken.None).Soon());
        Assert.Single(await Devices.ListAsync("bob", CancellationToken.None).Soon());
        Assert.Equal(2, await Devices.GetAckAsync("bob", "phone", TimelineKey.Inbox("bob"), CancellationToken.None).Soon());
        await SaveAsync("ann");
        await Devices.AckAsync([new("ann", "phone", inbox, 1)], CancellationToken.None).Soon();
        Assert.Equal(1, await Devices.GetAckAsync("ann", "phone", inbox, CancellationToken.None).Soon());
        await UserData.ForgetDevicesAsync("nobody", CancellationToken.None).Soon();
    }

    private Task<int> EraseAsync(string conversationId, long first, long last, string senderId) =>
        UserData.EraseBodiesAsync(conversationId, new(first), new(last), senderId, CancellationToken.None).Soon();

    private Task SaveAsync(string user) =>
        Devices.SaveAsync(new ImDevice { UserId = user, DeviceId = "phone", LastSignInMs = 5 }, CancellationToken.None).Soon();
}
