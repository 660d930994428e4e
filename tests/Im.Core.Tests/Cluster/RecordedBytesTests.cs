using System.Runtime.CompilerServices;
using Google.Protobuf;
using Im.Cluster;
using Im.Cluster.Wire;
using Im.Messaging;

namespace Im.Core.Tests.Cluster;

/// <summary>
/// Nodes of two neighbouring versions work side by side, so what one version says the next one reads. The files hold bytes that a released version has
/// written; they are never changed. A version that adds something adds a file (IM_RECORD=name writes the present messages under that name).
/// </summary>
public sealed class RecordedBytesTests
{
    private const string Folder = "Recorded";

    public static TheoryData<string> Files => [.. Directory.GetFiles(GetFolder(), "*.hex").Select(file => Path.GetFileNameWithoutExtension(file))];

    [Theory]
    [MemberData(nameof(Files))]
    public void WhatAVersionHasSaidIsReadable(string name)
    {
        var bytes = Convert.FromHexString(File.ReadAllText(Path.Combine(GetFolder(), name + ".hex")).Trim());
        var message = NodeMessage.Parser.ParseFrom(bytes);
        Assert.Equal(("node-1", 1_700_000_000_123, 42), (message.Node, message.Epoch, message.Number));
        var committed = CommitMapping.Read(message.Commits.Single());
        Assert.Equal(("g:x", 7, 2), (committed.Runs[0].Run.ConversationId, committed.Runs[0].Run.First.Value, committed.Runs[0].Run.Count));
        Assert.Equal(["ann", "bob"], committed.Classes.Single().UserIds);
        Assert.Equal(new CommittedPart(0, 1, 1), committed.Classes.Single().Parts.Single());
        Assert.Equal([3L, 9L], committed.Classes.Single().FirstSeqs.ToArray());
        Assert.Equal([0], committed.Read);
        var move = committed.Moves.Single();
        Assert.Equal(("g:x", 5, 8), (move.ConversationId, move.Version, move.Seq.Value));
        Assert.Equal(["bob"], move.Opens);
        Assert.Equal(["ann"], move.Closes);
        var signal = message.Signals.Single();
        Assert.Equal(("g:x", "r", true, "17"), (signal.ConversationId, signal.RoomId, signal.Everyone, signal.ExceptConnectionId));
        Assert.Equal(("ann", "phone", "12"), (message.Replaced.Single().UserId, message.Replaced.Single().DeviceId, message.Replaced.Single().ConnectionId));
        Assert.Equal(["g:y"], message.ErasedConversations);
        Assert.Equal(("ann", true, 99), (message.Presence.Single().UserId, message.Presence.Single().IsOnline, message.Presence.Single().LastSeenMs));
        Assert.Equal((5, "sessions.list"), (message.Request.Id, message.Request.Operation));
        Assert.Equal((6, "no"), (message.Response.Id, message.Response.Error));
        Assert.Equal((41, 40), (message.Probe.LastToAll, message.Probe.LastToNode["node-2"]));
    }

    [Fact]
    public void AMessageOfANewerVersionIsReadWithoutWhatIsNew()
    {
        byte[] unknown = [0xFA, 0x3F, 0x03, 1, 2, 3];
        var message = NodeMessage.Parser.ParseFrom([.. Present().ToByteArray(), .. unknown]);
        Assert.Equal(42, message.Number);
    }

    [Fact]
    public void ThePresentVersionIsRecorded()
    {
        if (Environment.GetEnvironmentVariable("IM_RECORD") is { Length: > 0 } name)
        {
            File.WriteAllText(Path.Combine(GetFolder(), name + ".hex"), Convert.ToHexString(Present().ToByteArray()) + "\n");
        }

        // Map entries have no order, and the recorded message has one.
        var present = Convert.ToHexString(Present().ToByteArray());
        Assert.Contains(Directory.GetFiles(GetFolder(), "*.hex"), file => File.ReadAllText(file).Trim() == present);
    }

    // Every field has a value. Fields that come later are set here too, and recorded in a new file.
    private static NodeMessage Present() => new()
    {
        Node = "node-1",
        Epoch = 1_700_000_000_123,
        Number = 42,
        ToAll = true,
        Commits =
        {
            new Commit
            {
                Runs =
                {
                    new EntryRun
                    {
                        ConversationId = "g:x",
                        FirstSeq = 7,
                        Count = 2,
                        Entries = ByteString.CopyFrom([0x22, 3, 0x10, 7, 0x40, 0x22, 2, 0x10, 8]),
                    },
                },
                Classes = { new InboxClass { Parts = { new RunPart { Run = 0, Skip = 1, Count = 1 } }, UserIds = { "ann", "bob" }, FirstSeqs = { 3, 9 } } },
                Read = { 0 },
                Changes = { new MembershipChange { ConversationId = "g:x", Version = 5, Seq = 8, Opens = { "bob" }, Closes = { "ann" } } },
            },
        },
        Signals =
        {
            new SignalPush
            {
                Packet = ByteString.CopyFrom([0x62, 0]),
                UserIds = { "ann" },
                ConversationId = "g:x",
                RoomId = "r",
                Everyone = true,
                ExceptConnectionId = "17",
            },
        },
        Replaced = { new Replaced { UserId = "ann", DeviceId = "phone", ConnectionId = "12", Epoch = 3 } },
        ErasedConversations = { "g:y" },
        Presence = { new PresenceUpdate { UserId = "ann", IsOnline = true, DeviceTypes = { "phone" }, LastSeenMs = 99 } },
        Request = new Request { Id = 5, Operation = "sessions.list", Body = ByteString.CopyFrom([1]) },
        Response = new Response { Id = 6, Body = ByteString.CopyFrom([2]), Error = "no" },
        Probe = new Probe { LastToAll = 41, LastToNode = { ["node-2"] = 40 }, SentMs = 77, IsLeaving = true },
    };

    private static string GetFolder([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, Folder);
}
