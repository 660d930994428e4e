using System.Collections.Immutable;
using Im.Fanout;
using Im.Model;
using Im.Timelines;

namespace Im.Storage.InMemory;

/// <summary>A conversation: its entries, members and, for a group, what it is. Guarded by the state's lock.</summary>
internal sealed class ConversationState(string id)
{
    // Few changes at once are placed one by one; many are sorted in once.
    private const int FewChanges = 16;

    // The spans in which the fan-out was on read: from the entry that began it to the one that ended it.
    private readonly List<(ConversationSeq From, ConversationSeq? To)> _readSpans = [];

    // The present members, in the order in which they are paged.
    private readonly List<string> _present = [];

    // The commits of the entries with which stays and read spans begin.
    private readonly Dictionary<ConversationSeq, long> _openings = [];

    // Those from the floor on; the newest one is always here.
    private readonly List<StoredEntry> _entries = [];
    private long _ordinalBelowFloor;
    private ImmutableArray<string> _presentCopy;

    public string Id { get; } = id;

    public bool IsOwn { get; } = ConversationId.IsOwn(id);

    /// <summary>The first entry that is still kept.</summary>
    public long Floor { get; private set; } = 1;

    public long Head => Floor - 1 + _entries.Count;

    public long Ordinal { get; private set; }

    /// <summary>0 in direct and own conversations, from 1 in groups.</summary>
    public long Version { get; set; }

    public GroupInfo? Info { get; set; }

    public string Fanout { get; private set; } = FanoutNames.Write;

    public bool FanoutPinned { get; private set; }

    public bool IsDissolved { get; set; }

    /// <summary>Everyone who is or was a member.</summary>
    public Dictionary<string, MemberState> Members { get; } = new(StringComparer.Ordinal);

    public int MemberCount => _present.Count;

    /// <summary>The present members, sorted by <see cref="StringComparer.Ordinal"/>.</summary>
    public ImmutableArray<string> Present => _presentCopy.IsDefault ? _presentCopy = [.. _present.Order(StringComparer.Ordinal)] : _presentCopy;

    public TimelineHead HeadRow => new(TimelineKey.Conversation(Id), Head, Floor, Ordinal);

    public StoredEntry Newest => _entries[^1];

    public void Append(StoredEntry entry)
    {
        _entries.Add(entry);
        Ordinal = entry.Ordinal;
    }

    /// <summary>The entry at a seq up to the head; gone where it is below the floor.</summary>
    public StoredEntry Get(long seq) => seq < Floor ? StoredEntry.Forgotten(Id, new ConversationSeq(seq)) : _entries[(int)(seq - Floor)];

    /// <summary>The ordinal at a seq up to the head; what is below the floor counts as one place.</summary>
    public long OrdinalAt(long seq) => seq < Floor ? _ordinalBelowFloor : Get(seq).Ordinal;

    /// <summary>Forgets the body of an entry that is kept.</summary>
    public void DropBody(long seq) => _entries[(int)(seq - Floor)] = Get(seq) with { Body = default, IsGone = true };

    /// <summary>How many entries may be forgotten now, at most <paramref name="max"/>: the oldest ones, never the newest.</summary>
    public int CountExpired(RetentionLimits limits, int max)
    {
        var excess = _entries.Count - (limits.EntriesPerConversation ?? int.MaxValue);
        max = Math.Min(max, _entries.Count - 1);
        var count = 0;
        while (count < max && (count < excess || _entries[count].TimeMs < limits.EntriesBeforeMs))
        {
            count++;
        }

        return count;
    }

    /// <summary>Forgets that many of the oldest entries.</summary>
    public void Forget(int count)
    {
        _ordinalBelowFloor = _entries[count - 1].Ordinal;
        _entries.RemoveRange(0, count);
        Floor += count;
    }

    public bool IsPresent(string userId) => Members.TryGetValue(userId, out var member) && member.IsPresent;

    /// <summary>Lets users in who are not present, each once.</summary>
    public void Join(InMemoryState state, List<string> userIds, ConversationSeq seq, long ordinal)
    {
        _openings[seq] = state.LastCommit;
        foreach (var userId in userIds)
        {
            if (!Members.TryGetValue(userId, out var member))
            {
                Members.Add(userId, member = new MemberState(userId, this));
            }

            member.Join(seq, ordinal);
            if (!IsOwn)
            {
                state.GetOrAddUser(userId).Enter(member);
            }

            if (userIds.Count <= FewChanges)
            {
                _present.Insert(~_present.BinarySearch(userId, Utf8Order.Instance), userId);
            }
        }

        if (userIds.Count > FewChanges)
        {
            AddMany(userIds);
        }

        _presentCopy = default;
    }

    /// <summary>A page of the present members.</summary>
    public GroupMember[] ReadPresent(string? afterUserId, int limit)
    {
        var at = afterUserId is null ? -1 : _present.BinarySearch(afterUserId, Utf8Order.Instance);
        var start = at >= 0 || afterUserId is null ? at + 1 : ~at;
        var page = new GroupMember[Math.Min(limit, _present.Count - start)];
        for (var i = 0; i < page.Length; i++)
        {
            page[i] = new GroupMember(_present[start + i], Members[_present[start + i]].Joined);
        }

        return page;
    }

    /// <summary>Ends the stay of users who are present; the entry at <paramref name="seq"/> is their last one.</summary>
    public void Leave(InMemoryState state, IReadOnlyList<string> userIds, ConversationSeq seq)
    {
        foreach (var userId in userIds)
        {
            var member = Members[userId];
            member.Leave(seq);
            state.Users[userId].Leave(member);
            if (userIds.Count <= FewChanges)
            {
                _present.RemoveAt(_present.BinarySearch(userId, Utf8Order.Instance));
            }
        }

        if (userIds.Count > FewChanges)
        {
            _present.RemoveAll(userId => !Members[userId].IsPresent);
        }

        _presentCopy = default;
    }

    public void SetFanout(InMemoryState state, string fanout, bool pinned, ConversationSeq seq)
    {
        var isRead = IsRead(fanout);
        if (isRead != IsRead(Fanout))
        {
            if (isRead)
            {
                _readSpans.Add((seq, null));
                _openings[seq] = state.LastCommit;
            }
            else
            {
                _readSpans[^1] = (_readSpans[^1].From, seq);
            }
        }

        Fanout = fanout;
        FanoutPinned = pinned;
    }

    /// <summary>Adds the parts that the member reads by cursor, oldest first: the open one, and the ended ones that are wanted.</summary>
    /// <remarks>A part is where a stay and a span meet: from the later of join and switch to the entry before leave or switch.</remarks>
    public void AddReadParts(List<ReadTimeline> parts, MemberState member, Func<ConversationSeq, bool> wantsEnded)
    {
        foreach (var stay in member.Stays)
        {
            foreach (var span in _readSpans)
            {
                var after = span.From > stay.First ? span.From : stay.First;
                var end = span.To is null || stay.Last < span.To ? stay.Last : span.To;
                if (end is null || (after < end && wantsEnded(after)))
                {
                    parts.Add(new ReadTimeline(Id, after, end is null ? null : end.Value + -1, HeadRow));
                }
            }
        }
    }

    /// <summary>Where the entry that opened a part stands in a user's inbox; 0 = not in it.</summary>
    public long FindOpening(UserState user, ConversationSeq after) => user.Find(Id, after, _openings[after]);

    // Both lists are sorted and share nobody; they are merged from the end on, in place.
    private void AddMany(List<string> userIds)
    {
        var added = userIds.ToArray();
        Array.Sort(added, Utf8Order.Instance);
        var left = _present.Count - 1;
        _present.AddRange(added);
        var place = _present.Count - 1;
        for (var i = added.Length - 1; i >= 0; place--)
        {
            _present[place] = left >= 0 && Utf8Order.Instance.Compare(_present[left], added[i]) > 0 ? _present[left--] : added[i--];
        }
    }

    private static bool IsRead(string fanout) => string.Equals(fanout, FanoutNames.Read, StringComparison.Ordinal);
}
