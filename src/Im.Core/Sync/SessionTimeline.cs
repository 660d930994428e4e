using Im.Timelines;

namespace Im.Sync;

/// <summary>A session's cursor that chases the head of one timeline. Guarded by the session's lock.</summary>
/// <remarks>
/// <code>
///            offered: first = cursor + 1 and room            offered: anything else
///          ┌──────────────────────────────────┐        ┌──────────────────────────────┐
///          ▼                                  │        │                              ▼
///        LIVE ────────────────────────────────┴────────┴──────────────────────────▶ BEHIND
///          ▲                                                                          │
///          └───────────── a page was queued and the cursor is at the known head ──────┘
///
///  parts of a conversation's timeline, where the user left and came back before the session had everything:
///        after ──────── last   (skipped)   after ──────── last = ∞
/// </code>
/// While behind, what is offered only raises the known head; pages are read from the store until the cursor meets it. The parts are told by the changes
/// that begin and end them, in the inbox's order; where that order is in doubt the store is asked for all of them.
/// </remarks>
internal sealed class SessionTimeline(TimelineKey key, long cursor)
{
    private Queue<(long After, long Last)>? _laterParts;
    private long _lastOfLaterPart;

    // Where the present part begins, or the cursor that the session came with: what ends before it has ended another part.
    private long _start = cursor;

    // The store may have more than was read last.
    private bool _isNoticed;

    // A chunk that came before the one in front of it, from another node; only while live.
    private EarlyChunk? _early;

    public TimelineKey Key { get; } = key;

    /// <summary>The last entry that was queued for the session.</summary>
    public long Cursor { get; private set; } = cursor;

    /// <summary>The last entry that is known to exist.</summary>
    public long KnownHead { get; private set; } = cursor;

    /// <summary>The last entry of the present part.</summary>
    public long Last { get; private set; } = long.MaxValue;

    public bool IsLive
    {
        get;
        private set
        {
            field = value;
            if (!value)
            {
                _early = null;
            }
        }
    }

    /// <summary>The session has everything that it gets of this timeline.</summary>
    public bool IsFinished => Cursor >= Last && _laterParts is null && !AreStoredPartsNeeded;

    /// <summary>Only the store can say which parts of the timeline are the user's.</summary>
    public bool AreStoredPartsNeeded { get; private set; }

    /// <summary>Where not even the timeline's beginning is known: it is the first part that the user's inbox tells of after this entry.</summary>
    public long? BeginsAfterInbox { get; private init; }

    /// <summary>No end of the timeline is known for the session.</summary>
    public bool IsOpenEnded => (_laterParts is null ? Last : _lastOfLaterPart) == long.MaxValue;

    /// <summary>No later part is known.</summary>
    public bool IsInLastPart => _laterParts is null;

    /// <summary>Whether the offered entries follow exactly on what the session has, so that they may be queued.</summary>
    public bool Continues(long first, long last) => IsLive && first == Cursor + 1 && last <= Last;

    /// <summary>Whether the session has the offered entries already, or is not to get them.</summary>
    public bool Has(long last) => Math.Min(last, Last) <= Cursor && _laterParts is null;

    /// <summary>Entries up to this one exist.</summary>
    public void RaiseHead(long head) => KnownHead = Math.Max(KnownHead, head);

    /// <summary>Entries up to this one were queued.</summary>
    public void Advance(long lastQueued)
    {
        Cursor = lastQueued;
        RaiseHead(lastQueued);
    }

    /// <summary>The session gets no entry after this one, until a later part.</summary>
    /// <remarks>The end of a part that is behind already changes nothing: it was found before it was told.</remarks>
    public void End(long last)
    {
        if (last < (_laterParts is null ? _start : _laterParts.Last().After))
        {
            return;
        }

        if (_laterParts is null)
        {
            Last = Math.Min(Last, last);
        }
        else
        {
            _lastOfLaterPart = Math.Min(_lastOfLaterPart, last);
        }
    }

    /// <summary>As <see cref="End"/>, by a reader that met the end before it was announced; nothing where the announcement has come meanwhile.</summary>
    public void EndEarly(long last)
    {
        if (Last == long.MaxValue && _laterParts is null && Cursor <= last)
        {
            Last = last;
        }
    }

    /// <summary>A timeline that begins where the store says.</summary>
    public static SessionTimeline InDoubt(TimelineKey key, long inboxSeq) => new(key, 0) { BeginsAfterInbox = inboxSeq, AreStoredPartsNeeded = true };

    /// <summary>Changes may have come in another order than they happened: until the store has said which parts there are the timeline is behind.</summary>
    public void Doubt()
    {
        AreStoredPartsNeeded = true;
        IsLive = false;
    }

    /// <summary>
    /// The parts as the store has them: the present one ends here, and these follow. Whatever was told in another order than it happened is right again.
    /// </summary>
    public void SetParts(StoredParts parts)
    {
        AreStoredPartsNeeded = false;
        Last = parts.Last;
        _laterParts = parts.Later.Count == 0 ? null : new Queue<(long, long)>(parts.Later);
        _lastOfLaterPart = parts.Later.Count == 0 ? 0 : parts.Later[^1].Last;
        RaiseHead(parts.Head);
    }

    /// <summary>Whether a part that begins here is a new one: one that began before the known end was closed already.</summary>
    public bool IsBehindEnd(long after) => after > (_laterParts is null ? Last : _lastOfLaterPart);

    /// <summary>The timeline goes on after this entry, once the present part is finished.</summary>
    public void AddPart(long after, long last)
    {
        if (_laterParts is null)
        {
            _laterParts = new Queue<(long, long)>();
        }
        else
        {
            // The part that was the last one so far is known whole now.
            var parts = _laterParts.ToArray();
            parts[^1].Last = _lastOfLaterPart;
            _laterParts = new Queue<(long, long)>(parts);
        }

        _laterParts.Enqueue((after, last));
        _lastOfLaterPart = last;
        IsLive = false;
    }

    /// <summary>Where the present part is finished and another follows, moves to it and says which entries were passed over.</summary>
    public bool TrySkip(out long first, out long through)
    {
        first = through = 0;
        if (Cursor < Last || _laterParts is null || AreStoredPartsNeeded)
        {
            return false;
        }

        var next = _laterParts.Dequeue();
        Last = next.Last;
        if (_laterParts.Count == 0)
        {
            Last = _lastOfLaterPart;
            _laterParts = null;
        }

        _start = next.After;
        first = Cursor + 1;
        through = Math.Max(Cursor, next.After);
        Advance(through);
        return true;
    }

    public void FallBehind() => IsLive = false;

    /// <summary>The store has more than the timeline knows of; whoever is reading may have looked before that.</summary>
    public void Notice()
    {
        _isNoticed = true;
        IsLive = false;
    }

    /// <summary>When it was read last, in turns of the session; 0 = never.</summary>
    public long LastTurn { get; private set; }

    /// <summary>It is read: what was noticed until now is in that.</summary>
    public void BeginRead(long turn)
    {
        LastTurn = turn;
        _isNoticed = false;
    }

    /// <summary>Keeps a chunk that does not follow yet; false: there is one already, or it is not one that may follow.</summary>
    public bool TryHold(long first, PushPayload payload)
    {
        if (!IsLive || _early is not null || first <= Cursor + 1 || first + payload.Count - 1 > Last)
        {
            return false;
        }

        _early = new EarlyChunk(first, payload);
        return true;
    }

    /// <summary>Gives up the hold of the chunk.</summary>
    public bool TryRelease(long first)
    {
        if (_early?.First != first)
        {
            return false;
        }

        _early = null;
        return true;
    }

    /// <summary>The chunk that was held, if it follows on the cursor now.</summary>
    public EarlyChunk? TakeEarly()
    {
        if (_early is null || _early.First > Cursor + 1)
        {
            return null;
        }

        var early = _early;
        _early = null;
        return early.First == Cursor + 1 && early.First + early.Payload.Count - 1 <= Last ? early : null;
    }

    /// <summary>Live if there is nothing between the cursor and the known head.</summary>
    public bool TryGoLive() => IsLive = Cursor >= Math.Min(KnownHead, Last) && _laterParts is null && !AreStoredPartsNeeded && !_isNoticed;
}

/// <summary>What a session that is behind reads next, and at which version of what it follows that was decided.</summary>
internal readonly record struct TimelineToRead(
    TimelineKey Timeline, long Cursor, long Last, long KnownHead, bool AreStoredPartsNeeded, long? BeginsAfterInbox, long FollowedVersion);

/// <summary>
/// How far the part of a timeline goes that a cursor is in, and which parts follow; a cursor in none is at the end of one. Read after the timeline's head.
/// </summary>
internal sealed record StoredParts(long Last, IReadOnlyList<(long After, long Last)> Later, long Head);

/// <summary>A chunk that waits for the one in front of it.</summary>
internal sealed record EarlyChunk(long First, PushPayload Payload);
