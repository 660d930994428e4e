using Im.Storage;
using Im.Sync;
using Im.Timelines;

namespace Im.Connections;

/// <content>Which conversations' own timelines the session follows.</content>
internal sealed partial class Session
{
    /// <summary>
    /// From now on the session follows the conversation's timeline, from the entry after <paramref name="after"/>, which stands in the chunk of the inbox
    /// that begins at <paramref name="chunk"/> and is offered next.
    /// </summary>
    public void OpenTimeline(string conversationId, ConversationSeq after, InboxSeq chunk)
    {
        lock (_outbox.Lock)
        {
            if (!TryFollowLocked(conversationId, chunk))
            {
                return;
            }

            if (IsInTurnLocked(chunk))
            {
                _timelines.Open(conversationId, after.Value, long.MaxValue)?.TryGoLive();
            }
            else
            {
                _timelines.Doubt(conversationId, _openedAt);
            }
        }

        UpdateReaders(conversationId);
        ScheduleIfBehind();
    }

    /// <summary>
    /// The session gets the conversation's timeline up to <paramref name="last"/> and no further; the entry after it stands in the chunk of the inbox that
    /// begins at <paramref name="chunk"/> and is offered next.
    /// </summary>
    public void CloseTimeline(string conversationId, ConversationSeq last, InboxSeq chunk)
    {
        lock (_outbox.Lock)
        {
            if (!TryFollowLocked(conversationId, chunk))
            {
                return;
            }

            if (IsInTurnLocked(chunk))
            {
                _timelines.Close(conversationId, last.Value);
            }
            else
            {
                _timelines.Doubt(conversationId, _openedAt);
            }
        }

        UpdateReaders(conversationId);
        _outbox.RequestWrite();
        ScheduleIfBehind();
    }

    /// <summary>
    /// The user gets the conversation up to <paramref name="last"/>, as is told to all nodes; <see cref="CloseTimeline"/> has come before, or is lost.
    /// </summary>
    public void EndEarly(string conversationId, ConversationSeq last)
    {
        lock (_outbox.Lock)
        {
            if (_isClosed)
            {
                return;
            }

            if (!_isOpen)
            {
                _changesDuringSignIn?.Add((conversationId, long.MaxValue));
                return;
            }

            var timeline = _timelines.Find(conversationId);
            if (timeline is { IsOpenEnded: true, IsInLastPart: true })
            {
                timeline.EndEarly(last.Value);
                _timelines.Skip(timeline);
            }
            else if (timeline is null || timeline.IsOpenEnded || timeline.IsBehindEnd(last.Value))
            {
                // The end of a part that the session has not heard of.
                _timelines.Doubt(conversationId, _openedAt);
            }

            _followedVersion++;
        }

        UpdateReaders(conversationId);
        _outbox.RequestWrite();
        ScheduleIfBehind();
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

            if (!_isOpen || version != _followedVersion || _timelines.AreInDoubt)
            {
                return FollowedComparison.Changed;
            }

            return _timelines.AreOpen(parts) ? FollowedComparison.Same : FollowedComparison.Different;
        }
    }

    /// <summary>Whether the session has, or had, a cursor on the conversation's own timeline.</summary>
    public bool HasTimeline(string conversationId)
    {
        lock (_outbox.Lock)
        {
            return _timelines.Find(conversationId) is not null;
        }
    }

    // Whether everything in front of the chunk has been offered, and nothing behind it: then what it changes comes in the order in which it happened.
    private bool IsInTurnLocked(InboxSeq chunk) => _lastOffered == chunk.Value - 1 && _countedFrom + _offered == _lastOffered;

    // False: the session is over, or the change is kept for its opening.
    private bool TryFollowLocked(string conversationId, InboxSeq chunk)
    {
        if (_isClosed || !_isOpen)
        {
            _changesDuringSignIn?.Add((conversationId, chunk.Value));
            return false;
        }

        _followedVersion++;
        return true;
    }

    private bool Follows(string conversationId)
    {
        lock (_outbox.Lock)
        {
            return !_isClosed && _timelines.Find(conversationId) is { IsFinished: false };
        }
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
}
