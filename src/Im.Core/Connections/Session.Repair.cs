using Im.Storage;
using Im.Sync;
using Im.Timelines;

namespace Im.Connections;

/// <content>What goes wrong with a session's timelines, and is found and mended: pages that cannot be read, forgotten entries, lost deliveries.</content>
internal sealed partial class Session
{
    /// <summary>How often in a row its pages could not be read. Used by whoever gives it its turn.</summary>
    public int ReadFailures { get; set; }

    /// <summary>
    /// What follows <see cref="NextToRead"/>'s cursor in a conversation's timeline is no longer kept, up to <paramref name="through"/>: the client is
    /// told to pass over it, and the session reads on.
    /// </summary>
    public void SkipForgotten(TimelineKey key, long through, long head, long? last)
    {
        lock (_outbox.Lock)
        {
            if (_timelines.Find(key.Id) is { IsLive: false } timeline && !_isClosed)
            {
                if (last is { } end)
                {
                    timeline.EndEarly(end);
                }

                _timelines.PassOver(timeline, Math.Min(through, timeline.Last));
            }
        }

        AddPage(key, 0, null, head, last);
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

            if (!timeline.IsLive || Math.Min(head, timeline.Last) <= timeline.Cursor)
            {
                return false;
            }

            // Nobody has told how far of it is the user's: whoever reads a head that the session does not know of finds that out.
            timeline.FallBehind();
        }

        _scheduler.Metrics.FellBehind();
        ScheduleIfBehind();
        return true;
    }

    /// <summary>Rises with each change of the conversations that the session follows.</summary>
    public long FollowedVersion
    {
        get
        {
            lock (_outbox.Lock)
            {
                return _followedVersion;
            }
        }
    }

    /// <summary>Compares the conversations that the session follows with the parts that the store says are open, read at a version of the session's.</summary>
    public FollowedComparison CompareFollowed(long version, IReadOnlyList<ReadTimeline> parts)
    {
        lock (_outbox.Lock)
        {
            if (_isClosed)
            {
                return FollowedComparison.Over;
            }

            if (!_isOpen || version != _followedVersion)
            {
                return FollowedComparison.Changed;
            }

            return _timelines.AreOpen(parts) ? FollowedComparison.Same : FollowedComparison.Different;
        }
    }
}
