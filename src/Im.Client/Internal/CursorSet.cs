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
///   unknown --entry or opening--> open --ending--> ending --entry EndSeq-1--> ended (kept to know late pushes)
///                                  ^                 | opening: NextStartSeq      |
///                                  +-----------------+----------------------------+ opening or entry beyond EndSeq
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

        if (seq <= cursor.Seq)
        {
            return Place.Duplicate;
        }

        // An ended timeline goes on wherever the server opens it again; a second opening may also come before the rest of the first part.
        return seq == cursor.Seq + 1 || IsEnded(cursor) || (cursor.NextStartSeq > 0 && seq == cursor.NextStartSeq + 1) ? Place.Next : Place.Gap;
    }

    /// <summary>Moves over an entry whose place is <see cref="Place.Next"/>.</summary>
    public void Apply(ImEntryEvent entry, TimelineChange? change)
    {
        if (entry.ConversationId is { } id)
        {
            var open = !_conversations.TryGetValue(id, out var cursor) || IsEnded(cursor) || entry.Seq > cursor.Seq + 1
                ? new ImConversationCursor(entry.Seq)
                : cursor with { Seq = entry.Seq };
            _conversations[id] = Settle(open);
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

    public IEnumerable<KeyValuePair<string, long>> OpenConversations() =>
        _conversations.Where(c => !IsEnded(c.Value)).Select(c => KeyValuePair.Create(c.Key, c.Value.Seq));

    public long? FindOpen(string id) => _conversations.TryGetValue(id, out var cursor) && !IsEnded(cursor) ? cursor.Seq : null;

    public ImCursors ToCursors() => new()
    {
        UserId = UserId,
        Generation = Generation,
        InboxSeq = InboxSeq,
        Conversations = _conversations.Where(c => !IsEnded(c.Value)).ToImmutableDictionary(StringComparer.Ordinal),
    };

    private static bool IsEnded(ImConversationCursor cursor) => cursor.EndSeq > 0 && cursor.Seq >= cursor.EndSeq;

    private static ImConversationCursor Settle(ImConversationCursor cursor)
    {
        if (cursor.EndSeq == 0 || cursor.Seq < cursor.EndSeq - 1)
        {
            return cursor;
        }

        return cursor.NextStartSeq > 0 ? new ImConversationCursor(cursor.NextStartSeq) : new ImConversationCursor(cursor.EndSeq, cursor.EndSeq);
    }

    private void Open(string id, long seq)
    {
        if (!_conversations.TryGetValue(id, out var cursor) || (IsEnded(cursor) && seq > cursor.EndSeq))
        {
            _conversations[id] = new ImConversationCursor(seq);
        }
        else if (!IsEnded(cursor) && cursor.EndSeq > 0 && seq > cursor.EndSeq)
        {
            _conversations[id] = cursor with { NextStartSeq = seq };
        }

        // An open one stays where it is: its entries came first, or this names a member who was one. A cursor never skips.
    }

    private void End(string id, long seq)
    {
        if (!_conversations.TryGetValue(id, out var cursor) || IsEnded(cursor) || cursor.Seq > seq)
        {
            return; // Beyond the ending: entries of a later opening came first.
        }

        if (cursor.EndSeq == 0)
        {
            _conversations[id] = Settle(cursor with { EndSeq = seq });
        }
        else if (cursor.NextStartSeq > 0 && seq > cursor.NextStartSeq)
        {
            _conversations[id] = Settle(new ImConversationCursor(cursor.NextStartSeq, seq));
        }
    }
}
