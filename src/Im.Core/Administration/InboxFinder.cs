using Im.Storage;
using Im.Timelines;

namespace Im.Administration;

/// <summary>Finds where an entry stands in a user's inbox. The inbox has no index for that: it is in the order of commits, so nearly in that of time.</summary>
/// <remarks>
/// A binary search by time leads to the neighbourhood, a scan forward finds the entry. Nodes' clocks may differ, and imported entries have times of their
/// own: so the scan begins a little earlier, and where it does not meet the entry within its limit the answer is "not known".
/// </remarks>
internal sealed class InboxFinder(IMessageStore store)
{
    private const int PageEntries = 500;
    private const int MaxPages = 20;
    private static readonly long SlackMs = (long)TimeSpan.FromSeconds(30).TotalMilliseconds;

    /// <summary>The seq in the inbox; 0 = not found.</summary>
    public async ValueTask<long> FindAsync(
        string userId, string conversationId, long seq, long timeMs, TimelineHead inbox, CancellationToken cancellationToken)
    {
        var after = await FindAfterAsync(userId, timeMs - SlackMs, inbox, cancellationToken);
        for (var page = 0; page < MaxPages && after < inbox.Head; page++)
        {
            var read = (await store.ReadInboxesAsync([new InboxRead(userId, new InboxSeq(after), PageEntries)], cancellationToken))[0];
            var next = read.First.Value;
            foreach (var run in read.Runs)
            {
                if (run.ConversationId == conversationId && run.First.Value <= seq && seq <= run.Last.Value)
                {
                    return next + (seq - run.First.Value);
                }

                next += run.Count;
            }

            if (next - 1 <= after)
            {
                break;
            }

            after = next - 1;
        }

        return 0;
    }

    // The last place before which everything is older than the time, as far as times tell.
    private async ValueTask<long> FindAfterAsync(string userId, long timeMs, TimelineHead inbox, CancellationToken cancellationToken)
    {
        var (low, high) = (inbox.Floor, inbox.Head);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (await ReadTimeAsync(userId, middle, cancellationToken) < timeMs)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }

    // Forgotten entries have no time and are old.
    private async ValueTask<long> ReadTimeAsync(string userId, long inboxSeq, CancellationToken cancellationToken)
    {
        var page = (await store.ReadInboxesAsync([new InboxRead(userId, new InboxSeq(inboxSeq - 1), 1)], cancellationToken))[0];
        if (page.Runs.Count == 0)
        {
            return 0;
        }

        var run = new Run(page.Runs[0].ConversationId, page.Runs[0].First, 1);
        return (await store.ReadEntriesAsync([run], 1, cancellationToken))[0].TimeMs;
    }
}
