using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;

namespace Im.Sync;

/// <summary>A page of a conversation's history.</summary>
internal sealed record HistoryPage(IReadOnlyList<StoredEntry> Entries, bool HasMore, TimelineHead Head);

/// <summary>Reads a conversation's entries within the reader's memberships: what was said before or between them is not shown.</summary>
internal sealed class HistoryReader(IMessageStore messages, IConversationStore conversations)
{
    /// <summary>The entries after a seq, oldest first.</summary>
    public async ValueTask<HistoryPage> ReadAfterAsync(
        string userId, string conversationId, long after, int maxEntries, int maxBytes, CancellationToken cancellationToken)
    {
        var (stays, head) = await GetStaysAsync(userId, conversationId, cancellationToken);
        if (after > head.Head)
        {
            throw new ImException(ImErrorCode.CursorBeyondHead, $"The cursor {after} is beyond the conversation's head {head.Head}.");
        }

        foreach (var stay in stays)
        {
            var first = Math.Max(Math.Max(after + 1, stay.First), head.Floor);
            var count = (int)Math.Min(stay.Last - first + 1, maxEntries);
            if (count > 0)
            {
                var entries = await ReadAsync(conversationId, first, count, maxBytes, cancellationToken);
                return new HistoryPage(entries, entries[^1].Seq.Value < stays[^1].Last, head);
            }
        }

        return new HistoryPage([], false, head);
    }

    /// <summary>The entries before a seq, oldest first; 0 = the newest ones.</summary>
    public async ValueTask<HistoryPage> ReadBeforeAsync(
        string userId, string conversationId, long before, int maxEntries, int maxBytes, CancellationToken cancellationToken)
    {
        var (stays, head) = await GetStaysAsync(userId, conversationId, cancellationToken);
        var end = before == 0 ? head.Head : before - 1;
        for (var i = stays.Count - 1; i >= 0; i--)
        {
            var last = Math.Min(end, stays[i].Last);
            var lowest = Math.Max(stays[i].First, head.Floor);

            // A page limited in bytes is a prefix, and here the end is wanted: fewer entries, until all of them fit.
            for (var count = (int)Math.Min(last - lowest + 1, maxEntries); count > 0; count = Math.Max(1, count / 2))
            {
                var first = last - count + 1;
                var entries = await ReadAsync(conversationId, first, count, maxBytes, cancellationToken);
                if (entries.Count == count)
                {
                    return new HistoryPage(entries, first > Math.Max(stays[0].First, head.Floor), head);
                }
            }
        }

        return new HistoryPage([], false, head);
    }

    private ValueTask<IReadOnlyList<StoredEntry>> ReadAsync(
        string conversationId, long first, int count, int maxBytes, CancellationToken cancellationToken) =>
        messages.ReadEntriesAsync([new Run(conversationId, new ConversationSeq(first), count)], maxBytes, cancellationToken);

    // Memberships as bounds; an open one ends at the head that was read before it: up to there it was open, whatever is committed meanwhile.
    private async ValueTask<(IReadOnlyList<(long First, long Last)> Stays, TimelineHead Head)> GetStaysAsync(
        string userId, string conversationId, CancellationToken cancellationToken)
    {
        var head = (await messages.GetHeadsAsync([TimelineKey.Conversation(conversationId)], cancellationToken))[0];
        var memberships = await conversations.GetMembershipsAsync(userId, conversationId, cancellationToken);
        if (memberships.Count > 0)
        {
            return ([.. memberships.Select(stay => (stay.First.Value, stay.Last?.Value ?? head.Head))], head);
        }

        var isDirect = ConversationId.TryGetParties(conversationId, out var one, out var other);
        if (isDirect && (userId == one || userId == other))
        {
            // A direct conversation in which nothing was said yet.
            return ([], head);
        }

        // Whether two others have ever talked, or somebody has read anything, is told to nobody else: the same answer either way.
        throw head.Head > 0 || isDirect || ConversationId.IsOwn(conversationId)
            ? new ImException(ImErrorCode.NotAMember, $"\"{userId}\" is not a member of \"{conversationId}\".")
            : new ImException(ImErrorCode.UnknownConversation, $"There is no conversation \"{conversationId}\".");
    }
}
