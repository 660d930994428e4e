using Im.Protocol;
using Im.Storage;

namespace Im.Sync;

/// <summary>Cuts a snapshot into packets of bounded size.</summary>
internal static class SnapshotPages
{
    /// <summary>The last entry is for a preview; a larger one is left to be read from the history.</summary>
    private const int MaxLastEntryBytes = 4096;

    /// <summary>The pages, each made when it is asked for; at least one.</summary>
    public static IEnumerable<Snapshot> Create(InboxSnapshot snapshot, int maxBytes)
    {
        var page = new Snapshot { InboxSeq = snapshot.Seq.Value };
        var bytes = 0;
        foreach (var conversation in snapshot.Conversations)
        {
            var state = ToState(conversation);
            var size = state.CalculateSize();
            if (bytes > 0 && bytes + size > maxBytes)
            {
                page.HasMore = true;
                yield return page;
                page = new Snapshot { InboxSeq = snapshot.Seq.Value };
                bytes = 0;
            }

            page.Conversations.Add(state);
            bytes += size;
        }

        yield return page;
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
        LastEntry = conversation.LastEntry is { Body.Length: <= MaxLastEntryBytes } last ? EntryEncoder.ToEntry(last) : null,
        JoinedSeq = conversation.Joined.Value,
    };
}
