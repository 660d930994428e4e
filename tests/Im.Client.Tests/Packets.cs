using Im.Protocol;

namespace Im.Client.Tests;

/// <summary>Server packets in short.</summary>
internal static class Packets
{
    public static Entry Text(string conversation, long seq) =>
        new() { ConversationId = conversation, ConversationSeq = seq, SenderId = "bob", Content = new Content { ContentType = "text", Text = $"{conversation}/{seq}" } };

    public static ServerPacket Inbox(long first, int count = 1)
    {
        var push = new Push { FirstInboxSeq = first };
        for (var i = 0; i < count; i++)
        {
            push.Entries.Add(Text("d", first + i));
        }

        return new ServerPacket { Push = push };
    }

    public static ServerPacket InboxEntry(long seq, Entry entry) => new() { Push = new Push { FirstInboxSeq = seq, Entries = { entry } } };

    public static ServerPacket Conversation(string id, long first, int count = 1)
    {
        var push = new Push { ConversationId = id, FirstConversationSeq = first };
        for (var i = 0; i < count; i++)
        {
            push.Entries.Add(Text(id, first + i));
        }

        return new ServerPacket { Push = push };
    }

    public static ServerPacket Skipped(string id, long first, long through) =>
        new() { Push = new Push { ConversationId = id, FirstConversationSeq = first, SkippedThrough = through } };

    public static Entry Joined(string id, long seq, string user = "alice", Fanout fanout = Fanout.Read) => new()
    {
        ConversationId = id,
        ConversationSeq = seq,
        MembersChanged = new MembersChanged { Added = { user }, Group = new GroupInfo { Fanout = fanout } },
    };

    public static Entry Left(string id, long seq, string user = "alice") => new()
    {
        ConversationId = id,
        ConversationSeq = seq,
        MembersChanged = new MembersChanged { Removed = { user }, Group = new GroupInfo { Fanout = Fanout.Read } },
    };
}
