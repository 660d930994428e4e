using Im.Timelines;

namespace Im.Storage;

/// <summary>What exporting and erasing all of one user needs beside the other stores.</summary>
public interface IUserDataStore
{
    /// <summary>Every conversation that the user is or was a member of, the own one too, ordered by id, after one id, at most <paramref name="limit"/>.</summary>
    ValueTask<IReadOnlyList<UserStays>> ListStaysAsync(
        string userId, string? afterConversationId, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the bodies of one sender's messages (not of changes) between two seqs, both included, gone for ever; their seqs, ids and times stay.
    /// Returns how many it were. One short transaction: the caller asks for a few hundred seqs at a time.
    /// </summary>
    ValueTask<int> EraseBodiesAsync(
        string conversationId, ConversationSeq first, ConversationSeq last, string senderId, CancellationToken cancellationToken);

    /// <summary>Deletes the user's devices and their acks.</summary>
    ValueTask ForgetDevicesAsync(string userId, CancellationToken cancellationToken);
}

/// <summary>All stays of a user in one conversation, oldest first, and the conversation's head row.</summary>
public sealed record UserStays(string ConversationId, TimelineHead Head, IReadOnlyList<Membership> Stays);
