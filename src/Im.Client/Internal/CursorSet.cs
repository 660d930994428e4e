using System.Collections.Immutable;
using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>Where a pushed entry stands, seen from a cursor.</summary>
internal enum Place
{
    /// <summary>The next one.</summary>
    Next,

    /// <summary>Had before.</summary>
    Duplicate,

    /// <summary>Something between is missing.</summary>
    Gap,
}

/// <summary>The cursors of one device: a fold over the events in their order. Not thread-safe.</summary>
/// <remarks>
/// <para>There are two: the read loop's (what has arrived and is in the buffer) and the event stream's (what the application has finished).
/// Both apply the same events in the same order, so the second reaches every state that the first one had.</para>
/// <code>
/// a conversation with fan-out on read:
///
///   no cursor --entry, skip or opening--> open --ending--> ending --entry or skip up to EndSeq - 1--> no cursor
///                                          ^                 |
///                                          +--- opening -----+   (the server skips what lies between)
/// </code>
/// The opening and ending entries come through the inbox, the others through the conversation's timeline, and nothing orders the two:
/// entries may come before the opening, and those before the ending may come after it.
/// </remarks>
internal sealed class CursorSet
{
    private readonly Dictionary<string, ImConversationCursor> _conversations = new(StringComparer.Ordinal);

    public CursorSet(ImCursors cursors) => Load(cursors);

    public string UserId { get; set; } = "";

    public string Generation { get; set; } = "";

    public long InboxSeq { get; private set; }

    public void Load(ImCursors cursors)
    {
        UserId = cursors.UserId;
        Generation = cursors.Generation;
        InboxSeq = cursors.InboxSeq;
        _conversations.Clear();
        foreach (var (id, cursor) in cursors.Conversations)
        {
            _conversations[id] = cursor;
        }
    }

    public void Reset(ImResetEvent reset)
    {
        Generation = reset.Generation;
        InboxSeq = reset.InboxSeq;
        _conversations.Clear();
        foreach (var state in reset.Conversations)
        {
            if (state.Fanout == Fanout.Read)
            {
                _conversations[state.ConversationId] = new ImConversationCursor(state.Head);
            }
        }
    }

    public Place PlaceOfInbox(long seq) =>
        seq <= InboxSeq ? Place.Duplicate : seq == InboxSeq + 1 ? Place.Next : Place.Gap;

    public Place PlaceOfConversation(string id, long seq)
    {
        if (!_conversations.TryGetValue(id, out var cursor))
        {
            return Place.Next;
        }

        return seq <= cursor.Seq ? Place.Duplicate : seq == cursor.Seq + 1 ? Place.Next : Place.Gap;
    }

    /// <summary>Where a skip stands: it is the next one if it goes beyond the cursor and leaves no hole before it.</summary>
    public Place PlaceOfSkip(SkipEvent skip)
    {
        if (!_conversations.TryGetValue(skip.ConversationId, out var cursor))
        {
            return Place.Next;
        }

        return skip.Through <= cursor.Seq ? Place.Duplicate : skip.First <= cursor.Seq + 1 ? Place.Next : Place.Gap;
    }

    /// <summary>Moves over an entry whose place is <see cref="Place.Next"/>.</summary>
    public void Apply(ImEntryEvent entry, TimelineChange? change)
    {
        if (entry.ConversationId is { } id)
        {
            Move(id, entry.Seq);
            return;
        }

        InboxSeq = entry.Seq;
        if (change is { Opens: true } opening)
        {
            Open(opening.ConversationId, opening.Seq);
        }
        else if (change is { } ending)
        {
            End(ending.ConversationId, ending.Seq);
        }
    }

    /// <summary>Moves over a skip whose place is <see cref="Place.Next"/>.</summary>
    public void Apply(SkipEvent skip) => Move(skip.ConversationId, skip.Through);

    public IEnumerable<KeyValuePair<string, long>> OpenConversations() =>
        _conversations.Select(c => KeyValuePair.Create(c.Key, c.Value.Seq));

    public long? FindOpen(string id) => _conversations.TryGetValue(id, out var cursor) ? cursor.Seq : null;

    public ImCursors ToCursors() => new()
    {
        UserId = UserId,
        Generation = Generation,
        InboxSeq = InboxSeq,
        Conversations = _conversations.ToImmutableDictionary(StringComparer.Ordinal),
    };

    private void Move(string id, long seq)
    {
        var end = _conversations.GetValueOrDefault(id).EndSeq;
        if (end > 0 && seq == end - 1)
        {
            _conversations.Remove(id);
            return;
        }

        // Beyond the ending: the user is back, and the opening is still to come through the inbox.
        _conversations[id] = new ImConversationCursor(seq, seq < end ? end : 0);
    }

    private void Open(string id, long seq)
    {
        // A cursor never skips by itself: the rest of an ended part is still to come, or entries after the opening came first.
        _conversations[id] = new ImConversationCursor(_conversations.TryGetValue(id, out var cursor) ? cursor.Seq : seq);
    }

    private void End(string id, long seq)
    {
        if (!_conversations.TryGetValue(id, out var cursor) || cursor.EndSeq > 0 || cursor.Seq >= seq)
        {
            return; // Ended before, or beyond the ending: what follows a later opening came first.
        }

        if (cursor.Seq == seq - 1)
        {
            _conversations.Remove(id);
        }
        else
        {
            _conversations[id] = cursor with { EndSeq = seq };
        }
    }
}
