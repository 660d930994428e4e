using Im.Protocol;
using WireFanout = Im.Protocol.Fanout;

namespace Im.IntegrationTests.Support;

/// <summary>One device as a client library keeps it: cursors, and what came. Throws at the first push that does not continue its timeline.</summary>
internal sealed class TimelineChecker(string userId)
{
    private readonly Dictionary<string, long> _cursors = new(StringComparer.Ordinal);
    private readonly HashSet<(string ConversationId, long Seq)> _entries = [];

    public string Generation { get; private set; } = "";

    public long InboxCursor { get; private set; }

    /// <summary>Cursors of the conversations with fan-out on read that the device knows.</summary>
    public IReadOnlyDictionary<string, long> Cursors => _cursors;

    /// <summary>What the device has got, over all timelines.</summary>
    public IReadOnlySet<(string ConversationId, long Seq)> Entries => _entries;

    /// <summary>Where the device's inbox began.</summary>
    public long SnapshotSeq { get; private set; }

    /// <summary>What the device has by a snapshot: everything up to these.</summary>
    public Dictionary<string, long> SnapshotHeads { get; } = new(StringComparer.Ordinal);

    /// <summary>The sign-in that goes on where the device is.</summary>
    public SignIn ToSignIn(string device)
    {
        var request = new SignIn { Token = userId, DeviceId = device, Generation = Generation, InboxCursor = InboxCursor };
        request.ConversationCursors.AddRange(
            _cursors.Select(cursor => new ConversationCursor { ConversationId = cursor.Key, ConversationSeq = cursor.Value }));
        return request;
    }

    public void Take(ServerPacket packet)
    {
        switch (packet.PacketCase)
        {
            case ServerPacket.PacketOneofCase.SignedIn:
                Take(packet.SignedIn);
                break;
            case ServerPacket.PacketOneofCase.Snapshot:
                Take(packet.Snapshot);
                break;
            case ServerPacket.PacketOneofCase.Push:
                Take(packet.Push);
                break;
        }
    }

    private void Take(SignedIn signedIn)
    {
        Generation = signedIn.Generation;
        if (signedIn.Reset)
        {
            _cursors.Clear();
            _entries.Clear();
            SnapshotHeads.Clear();
            InboxCursor = -1;
        }
    }

    private void Take(Snapshot snapshot)
    {
        InboxCursor = SnapshotSeq = snapshot.InboxSeq;
        foreach (var conversation in snapshot.Conversations)
        {
            SnapshotHeads.Add(conversation.ConversationId, conversation.Head);
            if (conversation.Fanout == WireFanout.Read)
            {
                _cursors.Add(conversation.ConversationId, conversation.Head);
            }
        }
    }

    private void Take(Push push)
    {
        if (push.FirstInboxSeq > 0)
        {
            Assert.Equal("", push.ConversationId);
            Continue("the inbox", InboxCursor, push.FirstInboxSeq);
            InboxCursor += push.Entries.Count;
            foreach (var entry in push.Entries)
            {
                Take(entry);
                OpenIfAsked(entry);
            }
        }
        else if (push.SkippedThrough > 0)
        {
            Continue(push.ConversationId, CursorBefore(push), push.FirstConversationSeq);
            Assert.Empty(push.Entries);
            Assert.True(push.SkippedThrough >= push.FirstConversationSeq, push.ToString());
            _cursors[push.ConversationId] = push.SkippedThrough;
        }
        else
        {
            Continue(push.ConversationId, CursorBefore(push), push.FirstConversationSeq);
            foreach (var entry in push.Entries)
            {
                Assert.Equal(push.ConversationId, entry.ConversationId);
                Take(entry);
            }

            _cursors[push.ConversationId] = push.FirstConversationSeq + push.Entries.Count - 1;
            Assert.Equal(_cursors[push.ConversationId], push.Entries[^1].ConversationSeq);
        }
    }

    // A timeline that the device has not heard of yet begins where the server says: the inbox, with the entry that opens it, may come later.
    private long CursorBefore(Push push) => _cursors.GetValueOrDefault(push.ConversationId, push.FirstConversationSeq - 1);

    private void Take(Entry entry) =>
        Assert.True(_entries.Add((entry.ConversationId, entry.ConversationSeq)), $"{entry.ConversationId} {entry.ConversationSeq} came twice.");

    // A join, or a switch to fan-out on read: the conversation's own timeline begins after this entry.
    private void OpenIfAsked(Entry entry)
    {
        var opens = entry.BodyCase switch
        {
            Entry.BodyOneofCase.GroupCreated => entry.GroupCreated.Group.Fanout == WireFanout.Read,
            Entry.BodyOneofCase.MembersChanged => entry.MembersChanged.Group.Fanout == WireFanout.Read && entry.MembersChanged.Added.Contains(userId),
            Entry.BodyOneofCase.FanoutChanged => entry.FanoutChanged.Fanout == WireFanout.Read,
            _ => false,
        };
        if (opens)
        {
            // One that is known goes on from its cursor; the server says what it passes over.
            _cursors.TryAdd(entry.ConversationId, entry.ConversationSeq);
        }
    }

    private static void Continue(string timeline, long cursor, long first) =>
        Assert.True(first == cursor + 1, $"{timeline}: {first} was pushed after {cursor}.");
}
