using Im.Fanout;
using Im.Model;
using Im.Testing.Specification;
using Im.Timelines;

namespace Im.Storage;

/// <summary>The store as one would write it down: every inbox an expanded list, everything else counted again at each question.</summary>
/// <remarks>It shares no code with any store, and it is slow on purpose.</remarks>
internal sealed class NaiveModel : IKnownGroups
{
    public Dictionary<string, NaiveConversation> Conversations { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, List<(string Id, long Seq)>> Inboxes { get; } = new(StringComparer.Ordinal);

    public Dictionary<SentKey, (AppendItem Item, AppendItemResult Result)> Sent { get; } = [];

    public Dictionary<(string User, string Device, TimelineKey Timeline), long> Acks { get; } = [];

    public long Head(TimelineKey timeline) => timeline.Kind == TimelineKind.Inbox
        ? Inboxes.GetValueOrDefault(timeline.Id)?.Count ?? 0
        : Conversations.GetValueOrDefault(timeline.Id)?.Rows.Count ?? 0;

    public (string Fanout, IEnumerable<string> Members, long Version)? Find(string conversationId) =>
        Conversations.TryGetValue(conversationId, out var found) ? (found.Fanout, found.Members, found.Version) : null;

    public long Version(string conversationId) => Conversations.GetValueOrDefault(conversationId)?.Version ?? 0;

    public AppendItemResult Append(AppendItem item)
    {
        if (Sent.TryGetValue(new(item.SenderId, item.ClientMessageId), out var sent))
        {
            return sent.Item.Hash == item.Hash
                ? sent.Result with { Outcome = AppendOutcome.Duplicate }
                : Refused(AppendOutcome.ClientIdReused, item);
        }

        var conversation = Conversations.GetValueOrDefault(item.ConversationId);
        var isGroup = item.ConversationId.StartsWith("g:", StringComparison.Ordinal);
        if (item.ExpectedVersion != Version(item.ConversationId)
            || (isGroup && (conversation is null) != (item.Change is ConversationChange.CreateGroup)))
        {
            return Refused(AppendOutcome.StaleVersion, item);
        }

        if (item.Change is ConversationChange.MoveReadMark mark)
        {
            var user = item.ConversationId[2..];
            var target = Conversations.GetValueOrDefault(mark.ConversationId);
            if (target is null || !target.Members.Contains(user))
            {
                return Refused(AppendOutcome.Unchanged, item);
            }

            var to = Math.Min(mark.Seq.Value, target.Rows.Count);
            if (to <= target.Marks.GetValueOrDefault(user))
            {
                return Refused(AppendOutcome.Unchanged, item) with { Seq = new(target.Marks.GetValueOrDefault(user)) };
            }

            target.Marks[user] = to;
            var (own, seq) = Store(item);
            return Remember(item, new(AppendOutcome.Stored, own.Id, seq, target.Unread(user), item.TimeMs, 0));
        }

        if (conversation is not null && item.Change is not null && !conversation.IsChangedBy(item.Change))
        {
            return Refused(AppendOutcome.Unchanged, item);
        }

        var (stored, at) = Store(item);
        if (item.Change is not null)
        {
            stored.Apply(item.Change, at.Value);
        }

        return Remember(item, new(AppendOutcome.Stored, stored.Id, at, stored.Ordinal(at.Value), item.TimeMs, stored.Version));
    }

    private (NaiveConversation Conversation, ConversationSeq Seq) Store(AppendItem item)
    {
        if (!Conversations.TryGetValue(item.ConversationId, out var conversation))
        {
            Conversations.Add(item.ConversationId, conversation = new NaiveConversation(item.ConversationId));
            if (!conversation.IsGroup)
            {
                foreach (var user in item.Audience.UserIds)
                {
                    conversation.Join(user, 1);
                }
            }
        }

        conversation.Rows.Add(item);
        foreach (var user in item.Audience.UserIds)
        {
            Inboxes.TryAdd(user, []);
            Inboxes[user].Add((item.ConversationId, conversation.Rows.Count));
        }

        return (conversation, new(conversation.Rows.Count));
    }

    private AppendItemResult Remember(AppendItem item, AppendItemResult result)
    {
        Sent.Add(new(item.SenderId, item.ClientMessageId), (item, result));
        return result;
    }

    private AppendItemResult Refused(AppendOutcome outcome, AppendItem item) =>
        new(outcome, item.ConversationId, default, 0, item.TimeMs, Version(item.ConversationId));
}

/// <summary>One conversation of the model.</summary>
internal sealed class NaiveConversation(string id)
{
    private readonly List<(long Seq, string? Joins, string? Leaves, string? Fanout)> _events = [];

    public string Id { get; } = id;

    public bool IsGroup { get; } = id.StartsWith("g:", StringComparison.Ordinal);

    public List<AppendItem> Rows { get; } = [];

    public HashSet<long> Gone { get; } = [];

    public SortedSet<string> Members { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, long> Marks { get; } = new(StringComparer.Ordinal);

    public long Version { get; private set; }

    public GroupInfo? Info { get; private set; }

    public string Fanout { get; private set; } = FanoutNames.Write;

    public bool Pinned { get; private set; }

    public bool IsDissolved { get; private set; }

    public long Ordinal(long seq) => Rows.Take((int)seq).Count(row => row.CountsAsUnread);

    /// <summary>Counts what stands behind the join entry, the mark and the user's last own message.</summary>
    public long Unread(string user)
    {
        var joined = IsGroup ? Stays(user)[^1].First : 0;
        var own = Rows.FindLastIndex(row => row.SenderId == user && row.Kind == EntryKind.Message) + 1;
        var from = Math.Max(Math.Max(joined, own), Marks.GetValueOrDefault(user));
        return Rows.Skip((int)from).Count(row => row.CountsAsUnread);
    }

    public List<(long First, long? Last)> Stays(string user)
    {
        var stays = new List<(long First, long? Last)>();
        foreach (var e in _events)
        {
            if (e.Joins == user)
            {
                stays.Add((e.Seq, null));
            }
            else if (e.Leaves == user)
            {
                stays[^1] = (stays[^1].First, e.Seq);
            }
        }

        return stays;
    }

    /// <summary>Replays joins, leaves and switches: the open part, and the last one that has ended.</summary>
    public List<(long After, long? Last)> Parts(string user)
    {
        var (present, read) = (false, false);
        var parts = new List<(long After, long? Last)>();
        long? open = null;
        foreach (var e in _events)
        {
            present = (present || e.Joins == user) && e.Leaves != user;
            read = e.Fanout is null ? read : e.Fanout == FanoutNames.Read;
            if (present && read && open is null)
            {
                open = e.Seq;
            }
            else if (!(present && read) && open is not null)
            {
                parts.Add((open.Value, e.Seq - 1));
                open = null;
            }
        }

        if (open is not null)
        {
            parts.Add((open.Value, null));
        }

        return parts;
    }

    public void Join(string user, long seq)
    {
        if (Members.Add(user))
        {
            _events.Add((seq, user, null, null));
        }
    }

    public bool IsChangedBy(ConversationChange change) => !IsDissolved && change switch
    {
        ConversationChange.ChangeMembers c => c.Added.Any(user => !Members.Contains(user)) || c.Removed.Any(Members.Contains),
        ConversationChange.SetGroupInfo c => c.Info != Info,
        ConversationChange.SwitchFanout c => c.Fanout != Fanout || c.FanoutPinned != Pinned,
        _ => true,
    };

    public void Apply(ConversationChange change, long seq)
    {
        Version++;
        switch (change)
        {
            case ConversationChange.CreateGroup c:
                Info = c.Info;
                Switch(c.Fanout, c.FanoutPinned, seq);
                c.Members.ToList().ForEach(user => Join(user, seq));
                break;
            case ConversationChange.ChangeMembers c:
                var leaving = c.Removed.Where(Members.Contains).Distinct().ToList();
                var coming = c.Added.Where(user => !Members.Contains(user)).ToList();
                leaving.ForEach(user => Leave(user, seq));
                coming.ForEach(user => Join(user, seq));
                break;
            case ConversationChange.SetGroupInfo c:
                Info = c.Info;
                break;
            case ConversationChange.SwitchFanout c:
                Switch(c.Fanout, c.FanoutPinned, seq);
                break;
            case ConversationChange.DissolveGroup:
                IsDissolved = true;
                Members.ToList().ForEach(user => Leave(user, seq));
                break;
        }
    }

    private void Leave(string user, long seq)
    {
        Members.Remove(user);
        _events.Add((seq, null, user, null));
    }

    private void Switch(string fanout, bool pinned, long seq)
    {
        (Fanout, Pinned) = (fanout, pinned);
        _events.Add((seq, null, null, fanout));
    }
}
