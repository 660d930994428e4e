using Im.Devices;
using Im.Protocol;
using Im.Sync;
using Im.Timelines;

namespace Im.Connections;

/// <summary>An authenticated user and device on a connection, with a cursor for each timeline that it follows.</summary>
/// <remarks>
/// The outbox's lock guards the timelines. Offers come from the committer, pages from one catch-up worker at a time, both only queue. Until
/// <see cref="Open"/> every timeline is behind and changes of membership are kept for it.
/// </remarks>
internal sealed class Session
{
    private readonly Connection _connection;
    private readonly Outbox _outbox;
    private readonly CatchUpScheduler _scheduler;
    private readonly ConversationReaders _readers;
    private readonly SessionTimeline _inbox;

    // Only conversations with fan-out on read; null for the many sessions without one. One that has ended stays, so that a return of the user
    // goes on from its cursor, as it does on the device.
    private Dictionary<string, SessionTimeline>? _conversations;

    // Changes of membership that were committed while the sign-in read the memberships.
    private List<(string ConversationId, long Seq, bool Opens)>? _changesDuringSignIn = [];
    private bool _isOpen;
    private bool _isClosed;
    private bool _isScheduled;

    public Session(
        Connection connection, ImDevice device, CatchUpScheduler scheduler, ConversationReaders readers, long signedInMs)
    {
        _connection = connection;
        _outbox = connection.Outbox;
        _scheduler = scheduler;
        _readers = readers;
        _inbox = new SessionTimeline(TimelineKey.Inbox(device.UserId), 0);
        Device = device;
        SignedInMs = signedInMs;
    }

    public ImDevice Device { get; }

    public string UserId => Device.UserId;

    public Connection Connection => _connection;

    public long SignedInMs { get; }

    /// <summary>Offers a chunk of the inbox that was just committed.</summary>
    public void Offer(InboxSeq first, PushPayload payload) => Offer(null, first.Value, payload);

    /// <summary>Offers a run of a conversation with fan-out on read that was just committed.</summary>
    public void Offer(string conversationId, ConversationSeq first, PushPayload payload) => Offer(conversationId, first.Value, payload);

    /// <summary>From now on the session follows the conversation's timeline, from the entry after <paramref name="after"/>.</summary>
    public void OpenTimeline(string conversationId, ConversationSeq after)
    {
        lock (_outbox.Lock)
        {
            if (_isClosed)
            {
                return;
            }

            if (!_isOpen)
            {
                _changesDuringSignIn?.Add((conversationId, after.Value, true));
                return;
            }

            OpenTimelineLocked(conversationId, after.Value, long.MaxValue).TryGoLive();
        }

        UpdateReaders(conversationId);
        ScheduleIfBehind();
    }

    /// <summary>The session gets the conversation's timeline up to <paramref name="last"/> and no further.</summary>
    public void CloseTimeline(string conversationId, ConversationSeq last)
    {
        lock (_outbox.Lock)
        {
            if (_isClosed || !_isOpen)
            {
                _changesDuringSignIn?.Add((conversationId, last.Value, false));
                return;
            }

            CloseTimelineLocked(conversationId, last.Value);
        }

        UpdateReaders(conversationId);
        _outbox.RequestWrite();
    }

    /// <summary>
    /// Ends the sign-in: queues its replies, installs the timelines where they were read, and lets the session chase the heads.
    /// </summary>
    public void Open(IReadOnlyList<byte[]> replies, long inboxCursor, long inboxHead, IReadOnlyList<OpenedTimeline> timelines)
    {
        // The index first: what is committed from here on is offered, and raises known heads.
        foreach (var timeline in timelines)
        {
            _readers.Add(timeline.ConversationId, this);
        }

        string[] opened;
        lock (_outbox.Lock)
        {
            foreach (var reply in replies)
            {
                _outbox.EnqueueLocked(reply);
            }

            _isOpen = true;
            _inbox.Advance(inboxCursor);
            _inbox.RaiseHead(inboxHead);
            foreach (var timeline in timelines)
            {
                OpenTimelineLocked(timeline.ConversationId, timeline.Cursor, timeline.Last).RaiseHead(timeline.Head);
            }

            // What was committed meanwhile is newer than what was read.
            foreach (var (conversationId, seq, opens) in _changesDuringSignIn!)
            {
                if (opens)
                {
                    OpenTimelineLocked(conversationId, seq, long.MaxValue);
                }
                else
                {
                    CloseTimelineLocked(conversationId, seq);
                }
            }

            _changesDuringSignIn = null;
            opened = [.. timelines.Select(timeline => timeline.ConversationId).Union(_conversations?.Keys.AsEnumerable() ?? [])];
        }

        _outbox.RequestWrite();
        foreach (var conversationId in opened)
        {
            UpdateReaders(conversationId);
        }

        ScheduleIfBehind();
    }

    /// <summary>The timeline to read next and its cursor, or null: nothing is behind, or the queue has no room now.</summary>
    public (TimelineKey Timeline, long Cursor, long Last)? NextToRead()
    {
        lock (_outbox.Lock)
        {
            _isScheduled = false;
            var behind = FindBehindLocked();
            if (behind is null || !_outbox.HasRoomForPageLocked())
            {
                return null;
            }

            _isScheduled = true;
            return (behind.Key, behind.Cursor, behind.Last);
        }
    }

    /// <summary>Queues a page that was read after <see cref="NextToRead"/>'s cursor, goes live where it reached the head, and reads on otherwise.</summary>
    public void AddPage(TimelineKey key, long first, PushPayload? payload, long head)
    {
        lock (_outbox.Lock)
        {
            _isScheduled = false;
            var timeline = FindLocked(key.Kind == TimelineKind.Inbox ? null : key.Id);
            if (timeline is null || timeline.IsLive || _isClosed)
            {
                return;
            }

            timeline.RaiseHead(head);
            if (payload is not null && first == timeline.Cursor + 1 && _outbox.TryEnqueueLocked(key, first, payload))
            {
                timeline.Advance(first + payload.Count - 1);
            }

            SkipLocked(timeline);
            timeline.TryGoLive();
        }

        if (key.Kind == TimelineKind.Conversation && !Follows(key.Id))
        {
            UpdateReaders(key.Id);
        }

        _outbox.RequestWrite();
        ScheduleIfBehind();
    }

    /// <summary>The session is over; nothing is queued any more.</summary>
    public void Close()
    {
        string[] conversations;
        lock (_outbox.Lock)
        {
            _isClosed = true;
            conversations = _conversations?.Keys.ToArray() ?? [];
            _conversations = null;
        }

        foreach (var conversationId in conversations)
        {
            UpdateReaders(conversationId);
        }
    }

    /// <summary>Whether the session has, or had, a cursor on the conversation's own timeline.</summary>
    public bool HasTimeline(string conversationId)
    {
        lock (_outbox.Lock)
        {
            return _conversations?.ContainsKey(conversationId) == true;
        }
    }

    private bool Follows(string conversationId)
    {
        lock (_outbox.Lock)
        {
            return !_isClosed && _conversations?.GetValueOrDefault(conversationId) is { IsFinished: false };
        }
    }

    private void Offer(string? conversationId, long first, PushPayload payload)
    {
        var last = first + payload.Count - 1;
        lock (_outbox.Lock)
        {
            if (_isClosed || FindLocked(conversationId) is not { } timeline)
            {
                return;
            }

            timeline.RaiseHead(last);
            if (!timeline.IsLive || timeline.Has(last))
            {
                return;
            }

            if (timeline.Continues(first, last) && _outbox.TryEnqueueLocked(timeline.Key, first, payload))
            {
                timeline.Advance(last);
            }
            else
            {
                timeline.FallBehind();
                _scheduler.Metrics.FellBehind();
            }
        }

        _outbox.RequestWrite();
        ScheduleIfBehind();
    }

    /// <summary>Asks for a turn to read if a timeline is behind and the queue has room for a page.</summary>
    public void ScheduleIfBehind()
    {
        lock (_outbox.Lock)
        {
            if (_isScheduled || _isClosed || !_isOpen || FindBehindLocked() is null || !_outbox.HasRoomForPageLocked())
            {
                return;
            }

            _isScheduled = true;
        }

        _scheduler.Schedule(this);
    }

    // The registry of readers has its own lock, which is never taken under the session's: so set it, and look whether that is still right.
    private void UpdateReaders(string conversationId)
    {
        while (true)
        {
            var follows = Follows(conversationId);
            if (follows)
            {
                _readers.Add(conversationId, this);
            }
            else
            {
                _readers.Remove(conversationId, this);
            }

            if (Follows(conversationId) == follows)
            {
                return;
            }
        }
    }

    private SessionTimeline? FindLocked(string? conversationId) =>
        conversationId is null ? _inbox : _conversations?.GetValueOrDefault(conversationId);

    private SessionTimeline? FindBehindLocked()
    {
        if (!_inbox.IsLive)
        {
            return _inbox;
        }

        if (_conversations is not null)
        {
            foreach (var timeline in _conversations.Values)
            {
                if (!timeline.IsLive)
                {
                    return timeline;
                }
            }
        }

        return null;
    }

    private SessionTimeline OpenTimelineLocked(string conversationId, long after, long last)
    {
        _conversations ??= new Dictionary<string, SessionTimeline>(StringComparer.Ordinal);
        if (!_conversations.TryGetValue(conversationId, out var timeline))
        {
            timeline = new SessionTimeline(TimelineKey.Conversation(conversationId), after);
            timeline.End(last);
            _conversations.Add(conversationId, timeline);
        }
        else if (!timeline.IsOpenEnded)
        {
            // The user came back, perhaps before the session had all of the stay before.
            timeline.AddPart(after, last);
            SkipLocked(timeline);
        }

        return timeline;
    }

    private void CloseTimelineLocked(string conversationId, long last)
    {
        if (FindLocked(conversationId) is { } timeline)
        {
            timeline.End(last);
            SkipLocked(timeline);
        }
    }

    // Tells the client which entries do not come through this timeline, so that its cursor stays contiguous.
    private void SkipLocked(SessionTimeline timeline)
    {
        while (timeline.TrySkip(out var first, out var through))
        {
            if (first <= through)
            {
                var push = new Push { ConversationId = timeline.Key.Id, FirstConversationSeq = first, SkippedThrough = through };
                _outbox.EnqueueLocked(PacketCodec.Write(new ServerPacket { Push = push }, _outbox.Codec));
            }
        }
    }
}

/// <summary>A part of a conversation's timeline as a sign-in found it; the first part of a conversation begins at the device's cursor.</summary>
internal readonly record struct OpenedTimeline(string ConversationId, long Cursor, long Head, long Last);
