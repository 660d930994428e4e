using Im.Model;
using Im.Protocol;
using Im.Storage;

namespace Im.Sync;

/// <summary>Finds in a page of a conversation's timeline the entry that ends a reader's part of it.</summary>
/// <remarks>
/// The store shows a commit before this node's sessions are told of it, so a page may reach beyond a leave, a dissolve or a switch to fan-out on
/// write. That entry comes through the reader's inbox, and what follows it is not the reader's, or comes through the inbox too.
/// </remarks>
internal static class PartEnd
{
    /// <summary>The index of the ending entry, or −1.</summary>
    public static int Find(IReadOnlyList<StoredEntry> entries, string userId)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            if (!entry.IsGone
                && entry.Kind is EntryKind.MembersChanged or EntryKind.GroupDissolved or EntryKind.FanoutChanged
                && Ends(Entry.Parser.ParseFrom(entry.Body.Span), userId))
            {
                return i;
            }
        }

        return -1;
    }

    private static bool Ends(Entry change, string userId) => change.BodyCase switch
    {
        Entry.BodyOneofCase.MembersChanged => change.MembersChanged.Removed.Contains(userId),
        Entry.BodyOneofCase.FanoutChanged => change.FanoutChanged.Fanout == Protocol.Fanout.Write,
        _ => true,
    };
}
