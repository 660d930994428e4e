using Im.Protocol;
using Im.Storage;

namespace Im.Sync;

/// <summary>Cuts a snapshot into packets of bounded size.</summary>
internal static class SnapshotPages
{
    public static IReadOnlyList<Snapshot> Create(InboxSnapshot snapshot, int maxBytes)
    {
        var pages = new List<Snapshot> { new() { InboxSeq = snapshot.Seq.Value } };
        var bytes = 0;
        foreach (var conversation in snapshot.Conversations)
        {
            var state = ToState(conversation);
            var size = state.CalculateSize();
            if (bytes > 0 && bytes + size > maxBytes)
            {
                pages[^1].HasMore = true;
                pages.Add(new Snapshot { InboxSeq = snapshot.Seq.Value });
                bytes = 0;
            }

            pages[^1].Conversations.Add(state);
            bytes += size;
        }

        return pages;
    }

    private static ConversationState ToState(UserConversation conversation) => new()
    {
        ConversationId = conversation.ConversationId,
        Head = conversation.Head.Head,
        Fanout = GroupMapping.ToWire(conversation.Fanout),
        Group = conversation.Group is null
            ? null
            : GroupMapping.ToWire(conversation.Group, conversation.Fanout, conversation.MemberCount, conversation.Version),
        ReadSeq = conversation.ReadSeq.Value,
        Unread = conversation.Unread,
        LastEntry = conversation.LastEntry is null ? null : EntryEncoder.ToEntry(conversation.LastEntry),
        JoinedSeq = conversation.Joined.Value,
    };
}
