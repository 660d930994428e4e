using Im.Storage;
using Im.Sync;
using Im.Timelines;

namespace Im.Connections;

/// <content>What goes wrong with a session's timelines, and is found and mended: pages that cannot be read, forgotten entries, lost deliveries.</content>
internal sealed partial class Session
{
    private const int MaxNotedOffers = 1000;

    // Of the inbox after _countedFrom: how many entries were offered, and the last of them. What was not offered has told nobody what it changed.
    private long _countedFrom;
    private long _offered;
    private long _lastOffered;

    // As far as a comparison with the store looks, and how many entries after it were offered since it began.
    private long _mark;
    private long _offeredAfterMark;

    // The chunks that were offered before the sign-in knew where it begins. What is too much for it counts as not offered, and is looked at.
    private List<(long First, int Count)>? _offersDuringSignIn = [];

    /// <summary>How many entries of the inbox the session knows of without having been offered them; a few of them may be on their way.</summary>
    public long MissingInOffers
    {
        get
        {
            lock (_outbox.Lock)
            {
                return _isOpen && !_isClosed ? Math.Max(0, _timelines.Inbox.KnownHead - _countedFrom - _offered) : 0;
            }
        }
    }

    /// <summary>A comparison with the store begins. Returns up to where it looks.</summary>
    public long MarkOffers()
    {
        lock (_outbox.Lock)
        {
            _offeredAfterMark = 0;
            return _mark = _timelines.Inbox.KnownHead;
        }
    }

    /// <summary>What is missing up to there is not missed any more: what it may have changed was compared with the store.</summary>
    public void GiveUpOffers(long mark)
    {
        lock (_outbox.Lock)
        {
            if (_isOpen && mark == _mark)
            {
                _countedFrom = mark;
                _offered = _offeredAfterMark;
                _lastOffered = Math.Max(_lastOffered, mark);
            }
        }
    }

    /// <summary>How often in a row its pages could not be read. Used by whoever gives it its turn.</summary>
    public int ReadFailures { get; set; }

    /// <summary>
    /// What follows <see cref="NextToRead"/>'s cursor in a conversation's timeline is no longer kept, up to <paramref name="through"/>: the client is
    /// told to pass over it, and the session reads on.
    /// </summary>
    public void SkipForgotten(TimelineKey key, long through, long head, long? last, (StoredParts Stored, long FollowedVersion)? parts)
    {
        lock (_outbox.Lock)
        {
            if (_timelines.Find(key.Id) is { IsLive: false } timeline && !_isClosed && (parts is null || parts.Value.FollowedVersion == _followedVersion))
            {
                if (parts is { } read)
                {
                    timeline.SetParts(read.Stored);
                }
                else if (last is { } end)
                {
                    timeline.EndEarly(end);
                }

                _timelines.PassOver(timeline, Math.Min(through, timeline.Last));
            }
        }

        AddPage(key, 0, null, head, last, parts);
    }

    // What came too early follows on what was just queued.
    private void EnqueueEarly(SessionTimeline timeline)
    {
        if (timeline.TakeEarly() is not { } early)
        {
            return;
        }

        if (_outbox.TryEnqueueLocked(timeline.Key, early.First, early.Payload))
        {
            timeline.Advance(early.First + early.Payload.Count - 1);
        }
        else
        {
            timeline.FallBehind();
            _scheduler.Metrics.FellBehind();
        }
    }

    private bool TryHold(SessionTimeline timeline, long first, PushPayload payload)
    {
        if (!timeline.TryHold(first, payload))
        {
            return false;
        }

        return _scheduler.Early.TryWait(this, timeline.Key, first) || !timeline.TryRelease(first);
    }

    /// <summary>The chunk in front of the one that begins at <paramref name="first"/> did not come in time: both are read.</summary>
    public void EndWait(TimelineKey key, long first)
    {
        lock (_outbox.Lock)
        {
            var timeline = _isClosed ? null : _timelines.Find(key.Kind == TimelineKind.Inbox ? null : key.Id);
            if (timeline?.TryRelease(first) != true)
            {
                return;
            }

            timeline.FallBehind();
        }

        _scheduler.Metrics.FellBehind();
        ScheduleIfBehind();
    }

    /// <summary>Adds the timelines in which the session has everything that it knows of.</summary>
    public void AddLiveTimelines(List<(Session Session, TimelineKey Timeline, long KnownHead)> live)
    {
        lock (_outbox.Lock)
        {
            if (!_isOpen || _isClosed)
            {
                return;
            }

            foreach (var timeline in _timelines.All)
            {
                if (timeline.IsLive && !timeline.IsFinished)
                {
                    live.Add((this, timeline.Key, timeline.KnownHead));
                }
            }
        }
    }

    /// <summary>The store has the timeline up to here. Whether the session, being live, did not know; then it goes behind and reads.</summary>
    public bool NoticeHead(TimelineKey key, long head)
    {
        lock (_outbox.Lock)
        {
            var timeline = _isClosed ? null : _timelines.Find(key.Kind == TimelineKind.Inbox ? null : key.Id);
            if (timeline is null)
            {
                return false;
            }

            var wasLive = timeline.IsLive;
            if (head <= timeline.Cursor || (wasLive && timeline.Last <= timeline.Cursor))
            {
                return false;
            }

            // Nobody has told how far of it is the user's: whoever reads a head that the session does not know of finds that out.
            timeline.Notice();
            if (!wasLive)
            {
                return false;
            }
        }

        _scheduler.Metrics.FellBehind();
        ScheduleIfBehind();
        return true;
    }

    private void BeginCountingLocked(long inboxHead)
    {
        _countedFrom = _lastOffered = _mark = inboxHead;
        var noted = _offersDuringSignIn!;
        _offersDuringSignIn = null;
        foreach (var (first, count) in noted)
        {
            CountOfferedLocked(first, count);
        }
    }

    private void CountOfferedLocked(long first, int count)
    {
        if (_offersDuringSignIn is { } noted)
        {
            if (noted.Count < MaxNotedOffers)
            {
                noted.Add((first, count));
            }

            return;
        }

        if (first <= _countedFrom)
        {
            return;
        }

        _offered += count;
        _lastOffered = Math.Max(_lastOffered, first + count - 1);
        if (first > _mark)
        {
            _offeredAfterMark += count;
        }
    }
}
