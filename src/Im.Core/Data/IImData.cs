using Im.Model;

namespace Im.Data;

/// <summary>A user's data as a whole, and old history, for the host's own code.</summary>
public interface IImData
{
    /// <summary>
    /// Everything that the user may read and that is kept about it: the devices, then each conversation with its marks, followed by its entries, oldest
    /// first.
    /// </summary>
    /// <remarks>
    /// Read in pages while it is enumerated, so it is no snapshot: what is stored meanwhile may be in it. Entries are those of the user's stays; what is no
    /// longer kept is left out, an erased or recalled one is there as gone. The user's own conversation holds its read marks as entries.
    /// </remarks>
    IAsyncEnumerable<ImExportItem> ExportUserAsync(string userId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Erases what the user has written: the bodies of its messages are gone for everybody, for ever. Its devices are forgotten and its sessions on this
    /// node are disconnected. Returns how many messages lost their bodies.
    /// </summary>
    /// <remarks>
    /// <para>What stays: the places of the messages, that is, seqs, ids, times and the sender's id; memberships and changes of groups, which name users by
    /// id; other people's messages. So nobody's cursors, unread counts or orders change. A message that was erased is read as an entry without content, marked
    /// gone; devices that have it already keep their copy until they read it again.</para>
    /// <para>First make your user provider refuse the user, so that nothing is written meanwhile. It works in small transactions with pauses, so it takes a while
    /// where the user was in large conversations; if it fails or is cancelled, call it again, it goes on with what is left. Where several nodes share a
    /// store, another node may show a recent message until it is restarted or the message leaves its memory.</para>
    /// </remarks>
    ValueTask<long> EraseUserAsync(string userId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Appends old history to a conversation, in order, with its own times. A refusal is a result, not an exception; one does not stop the others.
    /// </summary>
    /// <remarks>
    /// <para>The messages stand at the end of the conversation's timeline, whatever their times: import before the conversation is used. They are read as
    /// history. They are not put into inboxes, count as unread for nobody, do not move anybody's marks and are not shown to interceptors or offline
    /// notifiers. Only a conversation with fan-out on read pushes them, to the sessions that follow it, since its timeline has no holes.</para>
    /// <para>A group must exist, with its members; a direct conversation begins to exist. A sender is a member, a former member, or a system sender. Importing
    /// again under the same ids stores nothing twice, as long as ids are remembered (<c>ImRetentionOptions.KeepSentIdsFor</c>, from the import on).
    /// Retention counts the messages' own times.</para>
    /// </remarks>
    ValueTask<IReadOnlyList<ImSendResult>> ImportAsync(
        string conversationId, IReadOnlyList<ImportedMessage> messages, CancellationToken cancellationToken = default);
}
