using Im.Cluster;
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
internal sealed partial class Session
{
    private readonly Connection _connection;
    private readonly Outbox _outbox;
    private readonly CatchUpScheduler _scheduler;
    private readonly ConversationReaders _readers;
    private readonly SessionTimelines _timelines;

    // Conversations whose membership changed while the sign-in read the memberships, and where the inbox tells of it.
    private List<(string ConversationId, long InboxSeq)>? _changesDuringSignIn = [];

    // The inbox's head as the sign-in found it: which conversations the session follows was read up to there.
    private long _openedAt;
    private bool _isOpen;
    private bool _isClosed;
    private bool _isScheduled;
    private long _followedVersion;
    private long _turns;

    public Session(
        Connection connection, ImDevice device, CatchUpScheduler scheduler, ConversationReaders readers, long signedInMs)
    {
        _connection = connection;
        _outbox = connection.Outbox;
        _scheduler = scheduler;
        _readers = readers;
        _timelines = new SessionTimelines(device.UserId, _outbox);
        Device = device;
        SignedInMs = signedInMs;
    }

    public ImDevice Device { get; }

    /// <summary>Which start of the client it is, and which of its connections; empty and 0 where the client does not say.</summary>
    public (string InstanceId, uint Attempt) Origin { get; init; }

    /// <summary>
    /// Which of two sessions of one device is its newer one, in whatever order their sign-ins are handled: the later attempt of one start of the client,
    /// or else the connection that was accepted later.
    /// </summary>
    public bool IsNewerThan(Session other) =>
        Origin.InstanceId.Length > 0 && Origin.InstanceId == other.Origin.InstanceId && Origin.Attempt != other.Origin.Attempt
            ? Origin.Attempt > other.Origin.Attempt
            : _connection.Number > other._connection.Number;

    public string UserId => Device.UserId;

    public Connection Connection => _connection;

    public long SignedInMs { get; }

    /// <summary>Whether it is ending or has ended.</summary>
    public bool IsOver => _connection.IsClosed;

    /// <summary>Offers a chunk of the inbox that was just committed.</summary>
    public void Offer(InboxSeq first, PushPayload payload) => Offer(null, first.Value, payload);

    /// <summary>Offers a run of a conversation with fan-out on read that was just committed.</summary>
    public void Offer(string conversationId, ConversationSeq first, PushPayload payload) => Offer(conversationId, first.Value, payload);

    /// <summary>
    /// Ends the sign-in: queues its last reply, installs the timelines where they were read, and lets the session chase the heads. Whoever has that reply gets
    /// whatever is sent from then on.
    /// </summary>
    public void Open(ServerPacket lastReply, long inboxCursor, long inboxHead, IReadOnlyList<OpenedTimeline> timelines)
    {
        // The index first: what is committed from here on is offered, and raises known heads.
        foreach (var timeline in timelines)
        {
            _readers.Add(timeline.ConversationId, this);
        }

        string[] opened;
        var reply = PacketCodec.Write(lastReply, _outbox.Codec);
        lock (_outbox.Lock)
        {
            _outbox.EnqueueLocked(reply);
            _isOpen = true;
            _timelines.Inbox.Advance(inboxCursor);
            _timelines.Inbox.RaiseHead(inboxHead);
            foreach (var timeline in timelines)
            {
                _timelines.Open(timeline.ConversationId, timeline.Cursor, timeline.Last)?.RaiseHead(timeline.Head);
            }

            // What was read includes the changes up to the inbox's head as it was then.
            foreach (var (conversationId, inboxSeq) in _changesDuringSignIn!)
            {
                if (inboxSeq > inboxHead)
                {
                    _timelines.Doubt(conversationId, inboxHead);
                }
            }

            _changesDuringSignIn = null;
            _openedAt = inboxHead;
            BeginCountingLocked(inboxHead);
            _followedVersion++;
            opened = _timelines.ConversationIds;
        }

        _outbox.RequestWrite();
        foreach (var conversationId in opened)
        {
            UpdateReaders(conversationId);
        }

        ScheduleIfBehind();
    }

    /// <summary>The timeline to read next and its cursor, or null: nothing is behind, or the queue has no room now.</summary>
    public TimelineToRead? NextToRead()
    {
        lock (_outbox.Lock)
        {
            _isScheduled = false;
            var behind = _isClosed ? null : _timelines.FindBehind();
            if (behind is null || !_outbox.HasRoomForPageLocked())
            {
                return null;
            }

            _isScheduled = true;
            behind.BeginRead(++_turns);
            return new TimelineToRead(
                behind.Key, behind.Cursor, behind.Last, behind.KnownHead, behind.AreStoredPartsNeeded, behind.BeginsAfterInbox, _followedVersion);
        }
    }

    /// <summary>Queues a page that was read after <see cref="NextToRead"/>'s cursor, goes live where it reached the head, and reads on otherwise.</summary>
    /// <param name="key">Which timeline.</param>
    /// <param name="first">The seq of the page's first entry.</param>
    /// <param name="payload">The page; null where nothing follows the cursor.</param>
    /// <param name="head">The timeline's head as it was read; entries up to it are the user's, but for <paramref name="last"/>.</param>
    /// <param name="last">The user's last entry of the part that was read, where the store knows of an end; the delivery tells of it a little later.</param>
    /// <param name="parts">Instead: all parts as the store has them, asked for at this version of what the session follows; otherwise it is read again.</param>
    public void AddPage(TimelineKey key, long first, PushPayload? payload, long head, long? last, (StoredParts Stored, long FollowedVersion)? parts = null)
    {
        lock (_outbox.Lock)
        {
            // The turn is over, whatever became of the timeline: another one may be behind.
            _isScheduled = false;
            if (!_isClosed && _timelines.Find(key.Kind == TimelineKind.Inbox ? null : key.Id) is { IsLive: false } timeline)
            {
                timeline.RaiseHead(head);
                AddPageLocked(timeline, first, payload, last, parts);
            }
        }

        if (key.Kind == TimelineKind.Conversation && (parts is not null || !Follows(key.Id)))
        {
            UpdateReaders(key.Id);
        }

        _outbox.RequestWrite();
        ScheduleIfBehind();
    }

    private void AddPageLocked(SessionTimeline behind, long first, PushPayload? payload, long? last, (StoredParts Stored, long FollowedVersion)? parts)
    {
        if (parts is null ? behind.AreStoredPartsNeeded : parts.Value.FollowedVersion != _followedVersion)
        {
            // A change was told while it was read.
            return;
        }

        var timeline = parts is { } read ? _timelines.SetParts(behind, read.Stored) : behind;
        if (timeline is null)
        {
            return;
        }

        if (parts is null && last is { } end)
        {
            timeline.EndEarly(end);
        }

        // The timeline may have ended within the page after it was read: then what is left is read again.
        if (payload is not null && first == timeline.Cursor + 1 && first + payload.Count - 1 <= timeline.Last)
        {
            if (_outbox.TryEnqueueLocked(timeline.Key, first, payload))
            {
                timeline.Advance(first + payload.Count - 1);
            }
            else
            {
                _outbox.PageWasTooLargeLocked();
            }
        }

        _timelines.Skip(timeline);
        timeline.TryGoLive();
    }

    /// <summary>Queues a signal if there is room, and says whether there was; before the sign-in is answered a session gets none.</summary>
    public bool TrySignal(byte[] signal)
    {
        lock (_outbox.Lock)
        {
            if (!_isOpen || _isClosed)
            {
                return false;
            }
        }

        return _outbox.TryEnqueue(signal);
    }

    /// <summary>The session is over; nothing is queued any more.</summary>
    public void Close()
    {
        string[] conversations;
        lock (_outbox.Lock)
        {
            _isClosed = true;
            conversations = _timelines.ConversationIds;
        }

        EndRooms();
        foreach (var conversationId in conversations)
        {
            UpdateReaders(conversationId);
        }
    }

    private void Offer(string? conversationId, long first, PushPayload payload)
    {
        var last = first + payload.Count - 1;
        bool isLive;
        lock (_outbox.Lock)
        {
            if (_isClosed || _timelines.Find(conversationId) is not { } timeline)
            {
                return;
            }

            timeline.RaiseHead(last);
            if (conversationId is null)
            {
                CountOfferedLocked(first, payload.Count);
            }

            if (!timeline.IsLive || timeline.Has(last))
            {
                return;
            }

            if (timeline.Continues(first, last) && _outbox.TryEnqueueLocked(timeline.Key, first, payload))
            {
                timeline.Advance(last);
                EnqueueEarly(timeline);
            }
            else if (!TryHold(timeline, first, payload))
            {
                timeline.FallBehind();
                _scheduler.Metrics.FellBehind();
            }

            isLive = timeline.IsLive;
        }

        _outbox.RequestWrite();
        if (!isLive)
        {
            ScheduleIfBehind();
        }
    }

    /// <summary>Asks for a turn to read if a timeline is behind and the queue has room for a page.</summary>
    public void ScheduleIfBehind()
    {
        lock (_outbox.Lock)
        {
            if (_isScheduled || _isClosed || !_isOpen || _timelines.FindBehind() is null || !_outbox.HasRoomForPageLocked())
            {
                return;
            }

            _isScheduled = true;
        }

        _scheduler.Schedule(this);
    }
}

/// <summary>A part of a conversation's timeline as a sign-in found it; the first part of a conversation begins at the device's cursor.</summary>
internal readonly record struct OpenedTimeline(string ConversationId, long Cursor, long Head, long Last);
