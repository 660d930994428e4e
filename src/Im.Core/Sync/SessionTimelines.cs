using Im.Connections;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;

namespace Im.Sync;

/// <summary>The timelines of one session: its inbox, and the conversations with fan-out on read that it follows. Guarded by the session's lock.</summary>
internal sealed class SessionTimelines(string userId, Outbox outbox)
{
    // Null for the many sessions without one. A timeline that has ended stays, so that a return of the user goes on from its cursor, as it does on
    // the device.
    private Dictionary<string, SessionTimeline>? _conversations;

    public SessionTimeline Inbox { get; } = new(TimelineKey.Inbox(userId), 0);

    public string[] ConversationIds => _conversations?.Keys.ToArray() ?? [];

    public IEnumerable<SessionTimeline> All => _conversations is null ? [Inbox] : _conversations.Values.Prepend(Inbox);

    /// <summary>Whether the store has yet to say which parts of a timeline are the user's.</summary>
    public bool AreInDoubt => _conversations?.Values.Any(timeline => timeline.AreStoredPartsNeeded) == true;

    /// <summary>Whether those that go on are exactly the open ones among these parts.</summary>
    public bool AreOpen(IReadOnlyList<ReadTimeline> parts)
    {
        var open = 0;
        foreach (var part in parts)
        {
            if (part.Last is not null)
            {
                continue;
            }

            // Where the part begins beyond the cursor the user has left and come back, and the session knows nothing of either.
            open++;
            if (Find(part.ConversationId) is not { IsOpenEnded: true } timeline || (timeline.IsInLastPart && timeline.Cursor < part.After.Value))
            {
                return false;
            }
        }

        return open == (_conversations?.Values.Count(timeline => timeline.IsOpenEnded) ?? 0);
    }

    /// <summary>The timeline of a conversation, null = the inbox; null where the session has none.</summary>
    public SessionTimeline? Find(string? conversationId) =>
        conversationId is null ? Inbox : _conversations?.GetValueOrDefault(conversationId);

    /// <summary>
    /// A timeline that is to be read: the one whose last turn is longest ago, since one that falls behind again and again must not keep the others from
    /// theirs; at first the inbox, which tells of the others.
    /// </summary>
    public SessionTimeline? FindBehind()
    {
        var next = Inbox.IsLive ? null : Inbox;
        if (_conversations is not null)
        {
            foreach (var timeline in _conversations.Values)
            {
                if (!timeline.IsLive && (next is null || timeline.LastTurn < next.LastTurn))
                {
                    next = timeline;
                }
            }
        }

        return next;
    }

    /// <summary>
    /// The session gets the conversation's entries after <paramref name="after"/> up to <paramref name="last"/>, once it has what it got before. Null: that
    /// is no news.
    /// </summary>
    public SessionTimeline? Open(string conversationId, long after, long last)
    {
        _conversations ??= new Dictionary<string, SessionTimeline>(StringComparer.Ordinal);
        if (!_conversations.TryGetValue(conversationId, out var timeline))
        {
            timeline = new SessionTimeline(TimelineKey.Conversation(conversationId), after);
            timeline.End(last);
            _conversations.Add(conversationId, timeline);
            return timeline;
        }

        if (timeline.IsOpenEnded || !timeline.IsBehindEnd(after))
        {
            // The store has told it already.
            return null;
        }

        // The user came back, perhaps before the session had all of the stay before.
        timeline.AddPart(after, last);
        Skip(timeline);
        return timeline;
    }

    /// <summary>The session gets the conversation's entries up to <paramref name="last"/> only.</summary>
    public void Close(string conversationId, long last)
    {
        if (Find(conversationId) is { } timeline)
        {
            timeline.End(last);
            Skip(timeline);
        }
    }

    /// <summary>
    /// A change of whether the user follows the conversation came out of turn: the store is asked for the parts, of a timeline that the session does not have
    /// for those that the inbox tells of after <paramref name="inboxSeq"/>.
    /// </summary>
    public void Doubt(string conversationId, long inboxSeq)
    {
        if (Find(conversationId) is { } timeline)
        {
            timeline.Doubt();
            return;
        }

        _conversations ??= new Dictionary<string, SessionTimeline>(StringComparer.Ordinal);
        _conversations.Add(conversationId, SessionTimeline.InDoubt(TimelineKey.Conversation(conversationId), inboxSeq));
    }

    /// <summary>The parts as the store has them; null: none of the timeline is for the session.</summary>
    public SessionTimeline? SetParts(SessionTimeline timeline, StoredParts parts)
    {
        if (timeline.BeginsAfterInbox is null)
        {
            timeline.SetParts(parts);
            return timeline;
        }

        _conversations!.Remove(timeline.Key.Id);
        if (parts.Later.Count == 0)
        {
            return null;
        }

        var begun = new SessionTimeline(timeline.Key, parts.Later[0].After);
        begun.SetParts(parts with { Last = parts.Later[0].Last, Later = [.. parts.Later.Skip(1)] });
        begun.RaiseHead(timeline.KnownHead);
        _conversations.Add(timeline.Key.Id, begun);
        return begun;
    }

    /// <summary>
    /// Where a part is finished and another follows, goes on to it and tells the client which entries do not come through this timeline, so that its
    /// cursor stays contiguous.
    /// </summary>
    public void Skip(SessionTimeline timeline)
    {
        while (timeline.TrySkip(out var first, out var through))
        {
            Tell(timeline, first, through);
        }
    }

    /// <summary>The client gets no entries up to <paramref name="through"/>, and is told so.</summary>
    public void PassOver(SessionTimeline timeline, long through)
    {
        var first = timeline.Cursor + 1;
        if (first <= through)
        {
            timeline.Advance(through);
            Tell(timeline, first, through);
        }
    }

    private void Tell(SessionTimeline timeline, long first, long through)
    {
        if (first <= through)
        {
            var push = new Push { ConversationId = timeline.Key.Id, FirstConversationSeq = first, SkippedThrough = through };
            outbox.EnqueueLocked(PacketCodec.Write(new ServerPacket { Push = push }, outbox.Codec));
        }
    }
}
