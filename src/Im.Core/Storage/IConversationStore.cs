using Im.Model;
using Im.Timelines;

namespace Im.Storage;

/// <summary>Reads conversations as one user sees them. They change only through <see cref="IMessageStore.AppendAsync"/>.</summary>
public interface IConversationStore
{
    /// <summary>The user's memberships of one conversation, oldest first; empty = never a member. The last one may be open.</summary>
    ValueTask<IReadOnlyList<Membership>> GetMembershipsAsync(string userId, string conversationId, CancellationToken cancellationToken);

    /// <summary>
    /// The conversation timelines that the user reads by cursor, in parts, oldest first within a conversation: of each present membership with
    /// fan-out on read the part since its join or switch; of the conversations in <paramref name="known"/> also every part that has ended; and of
    /// all conversations the ended parts whose join or switch entry stands in the user's inbox after <paramref name="after"/>, so that a device
    /// with that cursor has not heard of them yet.
    /// </summary>
    ValueTask<IReadOnlyList<ReadTimeline>> GetReadTimelinesAsync(
        string userId, IReadOnlyList<string> known, InboxSeq after, CancellationToken cancellationToken);

    /// <summary>The user's present conversations with marks and unread counts, ordered by id, after one id, at most <paramref name="limit"/>.</summary>
    ValueTask<IReadOnlyList<UserConversation>> ListAsync(
        string userId, string? afterConversationId, int limit, CancellationToken cancellationToken);

    /// <summary>The user's present conversations in the order given; null where the user is not a member.</summary>
    ValueTask<IReadOnlyList<UserConversation?>> GetAsync(
        string userId, IReadOnlyList<string> conversationIds, CancellationToken cancellationToken);

    /// <summary>
    /// Everything a device without usable cursors starts from, read in one transaction at inbox seq <see cref="InboxSnapshot.Seq"/>.
    /// </summary>
    ValueTask<InboxSnapshot> GetSnapshotAsync(string userId, CancellationToken cancellationToken);
}

/// <summary>One stay of a user in a conversation: the entries from <paramref name="First"/> to <paramref name="Last"/> are the user's to read.</summary>
/// <param name="First">The join entry; 1 in direct conversations.</param>
/// <param name="Last">The leave entry; null while the stay goes on.</param>
public readonly record struct Membership(ConversationSeq First, ConversationSeq? Last);

/// <summary>A part of a conversation timeline that a user's sessions read by cursor.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="After">The join or switch entry, which came through the inbox: the timeline is read from the next one on.</param>
/// <param name="Last">The last entry that comes through the conversation's timeline; null while that goes on.</param>
/// <param name="Head">The conversation's head.</param>
public sealed record ReadTimeline(string ConversationId, ConversationSeq After, ConversationSeq? Last, TimelineHead Head);

/// <summary>A conversation as one user sees it.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="Head">Its head row.</param>
/// <param name="Fanout">The name of its fan-out strategy.</param>
/// <param name="Group">The group, or null.</param>
/// <param name="MemberCount">How many members it has.</param>
/// <param name="Version">Its membership version.</param>
/// <param name="Joined">The first entry the user may read.</param>
/// <param name="ReadSeq">The user's read mark; 0 = none.</param>
/// <param name="Unread">ordinal(head) − ordinal(the latest of join, read mark and the user's last own message).</param>
/// <param name="LastEntry">The newest entry.</param>
public sealed record UserConversation(
    string ConversationId,
    TimelineHead Head,
    string Fanout,
    GroupInfo? Group,
    int MemberCount,
    long Version,
    ConversationSeq Joined,
    ConversationSeq ReadSeq,
    long Unread,
    StoredEntry? LastEntry);

/// <summary>A user's conversations as they were at one seq of the user's inbox.</summary>
public sealed record InboxSnapshot(InboxSeq Seq, IReadOnlyList<UserConversation> Conversations);
