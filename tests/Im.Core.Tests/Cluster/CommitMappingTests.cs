using Google.Protobuf;
using Im.Cluster;
using Im.Cluster.Wire;
using Im.Messaging;
using Im.Model;
using Im.Storage;
using Im.Sync;
using Im.Timelines;

namespace Im.Core.Tests.Cluster;

/// <summary>What nodes tell each other of a commit: each gets what its users need, once, and nothing else.</summary>
public sealed class CommitMappingTests
{
    private static readonly LiveNode Second = new(new NodeDescription("n2", "i2", "1"), 2, 0);
    private static readonly LiveNode Third = new(new NodeDescription("n3", "i3", "1"), 3, 0);

    [Fact]
    public void EachNodeGetsItsUsersAndTheRunsTheyNeedOnce()
    {
        var committed = new CommittedRuns(
            [Run("d:a", 1, 2), Run("d:b", 5, 1)],
            [
                new CommittedClass([new(0, 0, 2)], ["ann", "bob", "cyd"], new long[] { 7, 8, 9 }),
                new CommittedClass([new(0, 0, 2), new(1, 0, 1)], ["dan"], new long[] { 3 }),
            ],
            [],
            []);
        var byNode = new Dictionary<string, NodeMessage>();
        var toAll = new NodeMessage();
        CommitMapping.Add(committed, Places(("ann", Second), ("cyd", Third), ("dan", Third), ("dan", Second)), byNode, toAll);

        Assert.Equal(0, toAll.CalculateSize());
        var second = CommitMapping.Read(byNode["n2"].Commits.Single());
        Assert.Equal(["d:a", "d:b"], second.Runs.Select(run => run.Run.ConversationId));
        Assert.Equal(["ann", "dan"], second.Classes.SelectMany(one => one.UserIds));
        Assert.Equal([7, 3], second.Classes.Select(one => one.FirstSeqs.Span[0]));
        var third = CommitMapping.Read(byNode["n3"].Commits.Single());
        Assert.Equal(["cyd", "dan"], third.Classes.SelectMany(one => one.UserIds));
        Assert.Equal(committed.Runs[0].Bytes.ToArray(), third.Runs[0].Bytes.ToArray());
    }

    [Fact]
    public void WhatIsReadFromTheConversationItselfGoesToAllInOneMessageWhateverTheNumberOfMembers()
    {
        var committed = new CommittedRuns([Run("g:x", 1, 3)], [], [0], []);
        var byNode = new Dictionary<string, NodeMessage>();
        var toAll = new NodeMessage();
        CommitMapping.Add(committed, UserPlaces.None, byNode, toAll);
        Assert.Empty(byNode);
        var read = CommitMapping.Read(toAll.Commits.Single());
        Assert.Equal([0], read.Read);
        Assert.Equal(3, read.Runs[0].Run.Count);
    }

    [Fact]
    public void AChangeTellsEveryNodeTheVersionAndEachItsOwnUsersWhoJoin()
    {
        var committed = new CommittedRuns(
            [Run("g:x", 4, 1)],
            [new CommittedClass([new(0, 0, 1)], ["ann", "bob"], new long[] { 1, 1 })],
            [0],
            [new MembershipMove("g:x", 9, new ConversationSeq(4), ["ann", "bob"], [])]);
        var byNode = new Dictionary<string, NodeMessage>();
        var toAll = new NodeMessage();
        CommitMapping.Add(committed, Places(("bob", Second)), byNode, toAll);
        Assert.Equal(["bob"], CommitMapping.Read(byNode["n2"].Commits.Single()).Moves.Single().Opens);
        var move = CommitMapping.Read(toAll.Commits.Single()).Moves.Single();
        Assert.Equal((9, 0), (move.Version, move.Opens.Count));
    }

    [Fact]
    public void EntriesOfAFormerEpochOfANodeAreNobodysPlace()
    {
        var view = ClusterView.Of(1, [Second with { Epoch = 5 }]);
        var places = new UserPlaces([new UserSessions("ann", [Session("ann", Second)], 0)], view, "n1");
        Assert.Empty(places.Of("ann"));
    }

    [Fact]
    public void BrokenCommitsAreRefusedWhateverIsBroken()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("IM_SEED"), out var given) ? given : Random.Shared.Next();
        var random = new Random(seed);
        var commit = new Commit
        {
            Runs = { new EntryRun { ConversationId = "g:x", FirstSeq = 1, Count = 3, Entries = UnsafeByteOperations.UnsafeWrap(Run("g:x", 1, 3).Bytes) } },
            Classes = { new InboxClass { Parts = { new RunPart { Run = 0, Skip = 1, Count = 2 } }, UserIds = { "ann" }, FirstSeqs = { 4 } } },
            Read = { 0 },
        };
        var bytes = commit.ToByteArray();
        for (var i = 0; i < 20_000; i++)
        {
            var damaged = bytes.ToArray();
            for (var j = random.Next(1, 4); j > 0; j--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            try
            {
                CommitMapping.Read(Commit.Parser.ParseFrom(damaged.AsSpan(0, random.Next(2) == 0 ? damaged.Length : random.Next(damaged.Length))));
            }
            catch (Exception exception) when (exception is InvalidDataException or InvalidProtocolBufferException)
            {
                // As it should be.
            }
            catch (Exception exception)
            {
                Assert.Fail($"IM_SEED={seed}, {i}: {exception}");
            }
        }
    }

    private static UserPlaces Places(params (string User, LiveNode Node)[] places) => new(
        [.. places.GroupBy(place => place.User).Select(user => new UserSessions(user.Key, [.. user.Select(place => Session(user.Key, place.Node))], 0))],
        ClusterView.Of(1, [Second, Third]),
        "n1");

    private static DirectorySession Session(string userId, LiveNode node) =>
        new() { UserId = userId, DeviceId = "phone", NodeName = node.Name, Epoch = node.Epoch, ConnectionId = "1" };

    private static EncodedRun Run(string conversationId, long first, int count) => EncodedRun.Create(
        [.. Enumerable.Range(0, count).Select(i => new StoredEntry
        {
            ConversationId = conversationId,
            Seq = new ConversationSeq(first + i),
            Ordinal = first + i,
            SenderId = "ann",
            ClientMessageId = "c" + i,
            TimeMs = 1,
            Kind = EntryKind.Message,
            Body = new byte[] { 0x52, 0x02, 0x12, 0x00 },
        }),
        ]);
}
