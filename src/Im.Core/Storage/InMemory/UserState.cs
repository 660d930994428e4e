using System.Runtime.InteropServices;
using Im.Devices;
using Im.Timelines;

namespace Im.Storage.InMemory;

/// <summary>A user's inbox, present conversations and devices. Guarded by the state's lock.</summary>
internal sealed class UserState
{
    // Chunks in seq order without holes: one ends where the next begins, the last one at the head. Runs are shared by the class.
    private readonly List<InboxChunk> _chunks = [];

    // Sorted by conversation id; own conversations are not in it.
    private readonly List<MemberState> _present = [];

    public long Head { get; private set; }

    /// <summary>The first entry that is still kept; head + 1 where none is.</summary>
    public long Floor { get; private set; } = 1;

    public IReadOnlyList<MemberState> Present => _present;

    /// <summary>Present and past conversations, own ones apart.</summary>
    public HashSet<MemberState> All { get; } = [];

    public SortedDictionary<string, ImDevice> Devices { get; } = new(StringComparer.Ordinal);

    public Dictionary<(string DeviceId, TimelineKey Timeline), long> Acks { get; } = [];

    public void AppendChunk(IReadOnlyList<Run> runs, long newHead, long commit, long timeMs)
    {
        _chunks.Add(new InboxChunk(Head + 1, runs, commit, timeMs));
        Head = newHead;
    }

    /// <summary>Forgets the oldest chunks, at most <paramref name="max"/>, and says how many those were.</summary>
    public int Expire(RetentionLimits limits, int max)
    {
        var count = 0;
        while (count < max && count < _chunks.Count)
        {
            var next = count + 1 < _chunks.Count ? _chunks[count + 1].First : Head + 1;
            if (_chunks[count].TimeMs >= (limits.InboxesBeforeMs ?? long.MinValue) && Head - next + 1 < (limits.EntriesPerInbox ?? long.MaxValue))
            {
                break;
            }

            Floor = next;
            count++;
        }

        _chunks.RemoveRange(0, count);
        return count;
    }

    /// <summary>Where an entry that a commit brought stands in the inbox; 0 = not in it.</summary>
    public long Find(string conversationId, ConversationSeq seq, long commit)
    {
        var index = _chunks.BinarySearch(new InboxChunk(0, [], commit, 0), InboxChunk.ByCommit);
        if (index < 0)
        {
            return 0;
        }

        var position = _chunks[index].First;
        foreach (var run in _chunks[index].Runs)
        {
            if (run.ConversationId == conversationId && run.First <= seq && seq <= run.Last)
            {
                return position + (seq - run.First);
            }

            position += run.Count;
        }

        return 0;
    }

    public IReadOnlyList<Run> Read(long after, int maxEntries)
    {
        if (after >= Head)
        {
            return [];
        }

        var chunks = CollectionsMarshal.AsSpan(_chunks);
        var index = IndexOfChunk(chunks, after + 1);
        var skip = after + 1 - chunks[index].First;
        var runs = new List<Run>();
        for (; index < chunks.Length && maxEntries > 0; index++)
        {
            var chunk = chunks[index].Runs;
            for (var i = 0; i < chunk.Count && maxEntries > 0; i++)
            {
                var run = chunk[i];
                if (skip >= run.Count)
                {
                    skip -= run.Count;
                    continue;
                }

                var count = (int)Math.Min(run.Count - skip, maxEntries);
                Add(runs, run with { First = run.First + skip, Count = count });
                maxEntries -= count;
                skip = 0;
            }
        }

        return runs;
    }

    public void Enter(MemberState member)
    {
        var index = IndexOfPresent(member.Conversation.Id);
        _present.Insert(~index, member);
        All.Add(member);
    }

    public void Leave(MemberState member) => _present.RemoveAt(IndexOfPresent(member.Conversation.Id));

    /// <summary>The place of a conversation in <see cref="Present"/>, or the complement of the place where it would stand.</summary>
    public int IndexOfPresent(string conversationId)
    {
        var (low, high) = (0, _present.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = string.CompareOrdinal(_present[middle].Conversation.Id, conversationId);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return ~low;
    }

    /// <summary>Entries that continue each other are one run, whichever commits they came from.</summary>
    private static void Add(List<Run> runs, Run run)
    {
        if (runs.Count > 0)
        {
            ref var last = ref CollectionsMarshal.AsSpan(runs)[^1];
            if (last.First + last.Count == run.First && string.Equals(last.ConversationId, run.ConversationId, StringComparison.Ordinal))
            {
                last = last with { Count = last.Count + run.Count };
                return;
            }
        }

        runs.Add(run);
    }

    private static int IndexOfChunk(ReadOnlySpan<InboxChunk> chunks, long seq)
    {
        var (low, high) = (0, chunks.Length - 1);
        while (low < high)
        {
            var middle = (low + high + 1) >>> 1;
            (low, high) = chunks[middle].First <= seq ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    private readonly record struct InboxChunk(long First, IReadOnlyList<Run> Runs, long Commit, long TimeMs)
    {
        public static Comparer<InboxChunk> ByCommit { get; } = Comparer<InboxChunk>.Create(static (x, y) => x.Commit.CompareTo(y.Commit));
    }
}
