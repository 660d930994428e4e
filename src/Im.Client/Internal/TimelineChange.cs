using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>What an inbox entry does to the timeline of a conversation with fan-out on read: it opens it, ends it, or neither.</summary>
internal readonly record struct TimelineChange(string ConversationId, long Seq, bool Opens)
{
    public static TimelineChange? Of(Entry entry, string userId)
    {
        bool? opens = entry.BodyCase switch
        {
            Entry.BodyOneofCase.GroupCreated when entry.GroupCreated.Group?.Fanout == Fanout.Read => true,
            Entry.BodyOneofCase.MembersChanged when entry.MembersChanged.Removed.Contains(userId) => false,
            Entry.BodyOneofCase.MembersChanged when entry.MembersChanged.Added.Contains(userId)
                && entry.MembersChanged.Group?.Fanout == Fanout.Read => true,
            Entry.BodyOneofCase.GroupDissolved => false,
            Entry.BodyOneofCase.FanoutChanged when entry.FanoutChanged.Fanout == Fanout.Read => true,
            Entry.BodyOneofCase.FanoutChanged when entry.FanoutChanged.Fanout == Fanout.Write => false,
            _ => null,
        };
        return opens is { } value ? new TimelineChange(entry.ConversationId, entry.ConversationSeq, value) : null;
    }
}
