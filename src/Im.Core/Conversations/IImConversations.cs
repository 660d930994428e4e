using Im.Timelines;

namespace Im.Conversations;

/// <summary>A user's conversations, for the host's own code.</summary>
public interface IImConversations
{
    /// <summary>
    /// The user's present conversations with exact unread counts, ordered by conversation id, after one id; at most <paramref name="limit"/> (1–1000).
    /// </summary>
    ValueTask<IReadOnlyList<ImConversation>> ListAsync(
        string userId, string? afterConversationId = null, int limit = 100, CancellationToken cancellationToken = default);

    /// <summary>One conversation as the user sees it; null where the user is no member.</summary>
    ValueTask<ImConversation?> GetAsync(string userId, string conversationId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Moves the user's read mark; it never moves back, nor beyond the head. Returns the unread count after it. The user's devices get the mark as an
    /// entry.
    /// </summary>
    ValueTask<long> MarkReadAsync(string userId, string conversationId, ConversationSeq seq, CancellationToken cancellationToken = default);

    /// <summary>
    /// The entries before a seq that the user may read, oldest first: the newest ones where it is null; at most <paramref name="limit"/> (1–1000),
    /// and fewer where they are large.
    /// </summary>
    ValueTask<IReadOnlyList<ImEntry>> ReadHistoryAsync(
        string userId, string conversationId, ConversationSeq? before = null, int limit = 50, CancellationToken cancellationToken = default);
}
