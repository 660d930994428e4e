using Google.Protobuf;
using Im.Client;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection;

namespace Im.ModelTests;

/// <summary>What every device must have, read from the stores when nothing is sent any more; nothing of the delivery path is used.</summary>
internal sealed class Oracle
{
    private readonly World _world;
    private readonly IMessageStore _messages;
    private readonly IConversationStore _store;
    private readonly Dictionary<string, StoredEntry[]> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LogItem[]> _items = new(StringComparer.Ordinal);
    private readonly Dictionary<string, UserTruth> _users = new(StringComparer.Ordinal);

    private Oracle(World world)
    {
        _world = world;
        _messages = world.Services.GetRequiredService<IMessageStore>();
        _store = world.Services.GetRequiredService<IConversationStore>();
    }

    public static async Task<Oracle> ReadAsync(World world)
    {
        var oracle = new Oracle(world);
        foreach (var user in world.Users)
        {
            await oracle.ReadUserAsync(user);
        }

        return oracle;
    }

    public long Messages => _entries.Values.Sum(entries => entries.LongCount(entry => entry.Kind == EntryKind.Message));

    /// <summary>How many entries the device must have since its start; −1 while it has none.</summary>
    public long CountFor(Device device) => device.Log.Start is { } start ? Expect(device, start).Values.Sum(items => (long)items.Length) : -1;

    public string? CheckDevice(Device device)
    {
        if (device.Log.Start is not { } start)
        {
            return $"{device.State} has never had a reset.";
        }

        var expected = Expect(device, start);
        foreach (var timeline in expected.Keys.Union(device.Log.Timelines))
        {
            var want = expected.GetValueOrDefault(timeline) ?? [];
            var got = device.Log.Timeline(timeline);
            for (var i = 0; i < Math.Max(want.Length, got.Count); i++)
            {
                if (i >= want.Length || i >= got.Count || want[i] != got[i])
                {
                    var seq = Math.Min(i < want.Length ? want[i].Seq : long.MaxValue, i < got.Count ? got[i].Seq : long.MaxValue);
                    return $"{device.State}: timeline \"{timeline}\" differs first at its entry {i}: expected {(i < want.Length ? want[i] : "nothing more")}, "
                        + $"received {(i < got.Count ? got[i] : "nothing more")} ({want.Length} expected, {got.Count} received).\n{device.Log.Describe(timeline, seq)}";
                }
            }
        }

        return CheckMemberships(device, start);
    }

    /// <summary>Answers of the present store's life against what it holds, and the order of each device's messages.</summary>
    public string? CheckSends()
    {
        var stored = new Dictionary<(string Sender, string Id), StoredEntry>();
        foreach (var entry in _entries.Values.SelectMany(entries => entries).Where(entry => entry.Kind == EntryKind.Message))
        {
            if (!stored.TryAdd((entry.SenderId, entry.ClientMessageId), entry))
            {
                return $"Stored twice: {entry.SenderId} {entry.ClientMessageId} at {entry.Seq} and {stored[(entry.SenderId, entry.ClientMessageId)].Seq} of {entry.ConversationId}.";
            }
        }

        var last = new Dictionary<(Device, string), (long Seq, Outgoing Sent)>();
        foreach (var sent in _world.Sent)
        {
            var entry = stored.GetValueOrDefault((sent.Device.UserId, sent.Id));
            var isSame = entry is not null && entry.ConversationId == sent.ConversationId && Entry.Parser.ParseFrom(entry.Body.Span).Content.Equals(sent.Content);
            if (sent.Refusal is not null && isSame && sent.Order != 0)
            {
                return $"Refused and stored: {sent}, at {entry!.Seq}.";
            }

            if (sent.Ack is not { } ack || ack.Time.ToUnixTimeMilliseconds() < _world.GenerationStartMs)
            {
                continue;
            }

            if (!isSame || entry!.Seq.Value != ack.ConversationSeq || ack.ConversationId != sent.ConversationId)
            {
                return $"Acknowledged and not there: {sent}; the store has {entry?.ConversationId} {entry?.Seq}.";
            }

            if (sent.Order == 0)
            {
                continue;
            }

            if (last.TryGetValue((sent.Device, sent.ConversationId), out var before) && before.Seq >= ack.ConversationSeq)
            {
                return $"Out of order: {sent} was sent after {before.Sent}.";
            }

            last[(sent.Device, sent.ConversationId)] = (ack.ConversationSeq, sent);
        }

        return null;
    }

    /// <summary>Unread counts against a count of entries.</summary>
    public async Task<string?> CheckUnreadAsync()
    {
        foreach (var (user, truth) in _users)
        {
            var marks = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var own in _entries.GetValueOrDefault(ConversationId.Own(user)) ?? [])
            {
                var moved = Entry.Parser.ParseFrom(own.Body.Span).ReadMarkMoved;
                marks[moved.ConversationId] = Math.Max(marks.GetValueOrDefault(moved.ConversationId), moved.ConversationSeq);
            }

            foreach (var (conversationId, stays) in truth.Stays)
            {
                if (stays[^1].Last is not null || ConversationId.IsOwn(conversationId))
                {
                    continue;
                }

                var entries = _entries[conversationId];
                var own = entries.LastOrDefault(entry => entry.Kind == EntryKind.Message && entry.SenderId == user)?.Seq.Value ?? 0;
                var from = Math.Max(Math.Max(own, marks.GetValueOrDefault(conversationId)), stays[^1].First.Value);

                // The first entry of a direct conversation is a message and nobody's join.
                if (!ConversationId.IsGroup(conversationId) && from == 1 && own == 0 && !marks.ContainsKey(conversationId))
                {
                    from = 0;
                }

                var unread = entries.Count(entry => entry.Kind == EntryKind.Message && entry.Seq.Value > from);
                var conversation = await _world.Im.Conversations.GetAsync(user, conversationId);
                if (conversation?.Unread != unread)
                {
                    return $"{user} has {conversation?.Unread} unread in {conversationId}, counted {unread} after {from} of {entries.Length} (own {own}, mark {marks.GetValueOrDefault(conversationId)}, joined {stays[^1].First}).";
                }
            }
        }

        return null;
    }

    private Dictionary<string, LogItem[]> Expect(Device device, ImResetEvent start)
    {
        var truth = _users[device.UserId];
        var known = start.Conversations.ToDictionary(conversation => conversation.ConversationId, StringComparer.Ordinal);
        var expected = new Dictionary<string, LogItem[]>(StringComparer.Ordinal)
        {
            [DeviceLog.Inbox] = [.. truth.Inbox.Skip((int)start.InboxSeq)],
        };
        foreach (var parts in truth.ReadParts.GroupBy(part => part.ConversationId, StringComparer.Ordinal))
        {
            var items = new List<LogItem>();
            foreach (var part in parts)
            {
                // A part that the device's snapshot was in goes on after the snapshot; others begin with an entry that it must have in its inbox.
                var opened = truth.InboxSeqs.GetValueOrDefault((part.ConversationId, part.After.Value));
                var isOpenAtStart = known.TryGetValue(part.ConversationId, out var state) && state.Fanout == Im.Protocol.Fanout.Read
                    && part.After.Value <= state.Head && (part.Last is not { } end || end.Value >= state.Head);
                if (isOpenAtStart || opened > start.InboxSeq)
                {
                    var after = isOpenAtStart ? Math.Max(state!.Head, part.After.Value) : part.After.Value;
                    var last = part.Last?.Value ?? part.Head.Head;
                    items.AddRange(_items[part.ConversationId].Skip((int)after).Take((int)Math.Max(0, last - after)));
                }
            }

            if (items.Count > 0)
            {
                expected.Add(parts.Key, [.. items]);
            }
        }

        return expected;
    }

    // Whatever way it came: all of every stay that began after the device's start, and of the others all after the snapshot, each once.
    private string? CheckMemberships(Device device, ImResetEvent start)
    {
        var heads = start.Conversations.ToDictionary(c => c.ConversationId, c => c.Head, StringComparer.Ordinal);
        var received = new Dictionary<string, List<long>>(StringComparer.Ordinal);
        foreach (var item in device.Log.Timelines.SelectMany(device.Log.Timeline))
        {
            if (!received.TryGetValue(item.ConversationId, out var seqs))
            {
                received.Add(item.ConversationId, seqs = []);
            }

            seqs.Add(item.ConversationSeq);
        }

        var truth = _users[device.UserId];
        foreach (var (conversationId, stays) in truth.Stays.Where(stay => !ConversationId.IsOwn(stay.Key)))
        {
            var want = new List<long>();
            foreach (var stay in stays)
            {
                var first = stay.First.Value;
                if (heads.TryGetValue(conversationId, out var head))
                {
                    first = Math.Max(first, head + 1);
                }
                else if (truth.InboxSeqs.GetValueOrDefault((conversationId, first)) <= start.InboxSeq)
                {
                    continue;
                }

                for (var seq = first; seq <= (stay.Last?.Value ?? _entries[conversationId].Length); seq++)
                {
                    want.Add(seq);
                }
            }

            var got = received.GetValueOrDefault(conversationId) ?? [];
            got.Sort();
            if (!want.SequenceEqual(got))
            {
                var at = want.Zip(got).TakeWhile(pair => pair.First == pair.Second).Count();
                return $"{device.State}: of {conversationId} its user's memberships have {want.Count} entries and it received {got.Count}; first difference at "
                    + $"{(at < want.Count ? want[at] : "end")} / {(at < got.Count ? got[at] : "end")}.\n{device.Log.Describe(conversationId, at < want.Count ? want[at] : 0)}";
            }
        }

        return null;
    }

    private async Task ReadUserAsync(string user)
    {
        var truth = new UserTruth();
        _users.Add(user, truth);
        for (var after = 0L; ;)
        {
            var page = (await _messages.ReadInboxesAsync([new InboxRead(user, new InboxSeq(after), 100_000)], default))[0];
            if (page.Runs.Count == 0)
            {
                break;
            }

            foreach (var run in page.Runs)
            {
                await LoadAsync(run.ConversationId);
                foreach (var item in _items[run.ConversationId].AsSpan().Slice((int)run.First.Value - 1, run.Count))
                {
                    truth.Inbox.Add(item with { Seq = ++after });
                    var entry = _entries[run.ConversationId][item.ConversationSeq - 1];
                    if (item.ConversationSeq == 1 || entry.Kind != EntryKind.Message)
                    {
                        truth.InboxSeqs.Add((run.ConversationId, item.ConversationSeq), after);
                    }
                }
            }
        }

        var conversations = _world.Groups.Select(group => group.ConversationId).Concat(truth.Inbox.Select(item => item.ConversationId)).Distinct().ToArray();
        foreach (var conversationId in conversations)
        {
            await LoadAsync(conversationId);
            var stays = await _store.GetMembershipsAsync(user, conversationId, default);
            if (stays.Count > 0)
            {
                truth.Stays.Add(conversationId, stays);
            }
        }

        truth.ReadParts.AddRange(await _store.GetReadTimelinesAsync(user, conversations, InboxSeq.Zero, default));
    }

    private async Task LoadAsync(string conversationId)
    {
        if (_entries.ContainsKey(conversationId))
        {
            return;
        }

        var head = (await _messages.GetHeadsAsync([TimelineKey.Conversation(conversationId)], default))[0].Head;
        var entries = head == 0
            ? []
            : await _messages.ReadEntriesAsync([new Run(conversationId, new ConversationSeq(1), (int)head)], int.MaxValue, default);
        _entries.Add(conversationId, [.. entries]);
        _items.Add(conversationId, [.. entries.Select(entry => LogItem.Of(entry.Seq.Value, ToWire(entry)))]);
    }

    private static Entry ToWire(StoredEntry stored)
    {
        var entry = Entry.Parser.ParseFrom(stored.Body.Span);
        entry.ConversationId = stored.ConversationId;
        entry.ConversationSeq = stored.Seq.Value;
        entry.Ordinal = stored.Ordinal;
        entry.SenderId = stored.SenderId;
        entry.SenderDeviceId = stored.SenderDeviceId;
        entry.ClientMessageId = stored.ClientMessageId;
        entry.TimeMs = stored.TimeMs;
        return entry;
    }

    private sealed class UserTruth
    {
        public List<LogItem> Inbox { get; } = [];

        /// <summary>Where entries that may open or end something stand in the inbox.</summary>
        public Dictionary<(string ConversationId, long Seq), long> InboxSeqs { get; } = [];

        public Dictionary<string, IReadOnlyList<Membership>> Stays { get; } = new(StringComparer.Ordinal);

        public List<ReadTimeline> ReadParts { get; } = [];
    }
}
