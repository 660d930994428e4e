using Im.Model;
using Im.Timelines;
using static Im.Storage.ConversationChange;

namespace Im.Storage.Relational.Append;

/// <summary>Moves of read marks, in two steps: does it move, and then do it. Both at once, because later items may ask again.</summary>
internal sealed class ReadMarkRows(SqlSession session, BatchState state)
{
    private string _userId = "";
    private string _conversationId = "";
    private ConversationSeq _mark;
    private long _markOrdinal;
    private long _ordinal;
    private long _otherOrdinal;

    /// <summary>After <see cref="Prepare"/>: the mark as it stands; 0 for a stranger.</summary>
    public ConversationSeq ReadSeq { get; private set; }

    /// <summary>After <see cref="Prepare"/>: what is unread before the move; 0 for a stranger.</summary>
    public long Unread { get; private set; }

    /// <summary>Whether the mark of the own conversation's user moves in the other conversation.</summary>
    public bool Prepare(AppendItem item, MoveReadMark move)
    {
        (_userId, _conversationId) = (item.ConversationId["o:".Length..], move.ConversationId);
        (ReadSeq, Unread) = (default, 0);
        var timeline = state.Find(_conversationId);
        if (ConversationId.IsOwn(_conversationId) || !FindMember(timeline, out var head, out var readOrdinal))
        {
            return false;
        }

        Unread = _ordinal - Math.Max(_otherOrdinal, readOrdinal);
        _mark = new ConversationSeq(Math.Min(move.Seq.Value, head));
        if (_mark <= ReadSeq)
        {
            return false;
        }

        _markOrdinal = _mark.Value == head ? _ordinal : OrdinalOf(timeline, _mark.Value);
        return true;
    }

    /// <summary>Moves the mark that was prepared last; what is unread after it.</summary>
    public long Apply()
    {
        session.Prepare("UPDATE im_members SET read_seq = @p1, read_ordinal = @p2 WHERE conversation_id = @p3 AND user_id = @p4")
            .Add(_mark.Value).Add(_markOrdinal).AddId(_conversationId).AddId(_userId).Execute();
        return _ordinal - Math.Max(_otherOrdinal, _markOrdinal);
    }

    /// <summary>
    /// The member's marks and the conversation's head, in one statement: where the batch does not hold the conversation's lock, another node may commit
    /// between two.
    /// </summary>
    private bool FindMember(int timeline, out long head, out long readOrdinal)
    {
        var statement = session.Prepare(
            "SELECT m.is_present, m.read_seq, m.read_ordinal, m.join_ordinal, m.own_ordinal, c.head, c.ordinal "
            + "FROM im_members m LEFT JOIN im_conversations c ON c.conversation_id = m.conversation_id "
            + "WHERE m.conversation_id = @p1 AND m.user_id = @p2");
        statement.AddId(_conversationId).AddId(_userId);
        var isPresent = statement.Read() && statement.GetInt64(0) != 0;
        (head, readOrdinal) = (0, 0);
        if (isPresent)
        {
            ReadSeq = new ConversationSeq(statement.GetInt64(1));
            readOrdinal = statement.GetInt64(2);
            _otherOrdinal = Math.Max(statement.GetInt64(3), statement.GetInt64(4));

            // What this batch has appended is not in the head row yet.
            (head, _ordinal) = timeline < 0
                ? (statement.GetInt64(5), statement.GetInt64(6))
                : (state.Heads[timeline], state.Ordinals[timeline]);
            if (state.OwnOrdinals.TryGetValue((timeline, _userId), out var own))
            {
                _otherOrdinal = Math.Max(_otherOrdinal, own);
            }
        }

        statement.Clear();
        return isPresent;
    }

    private long OrdinalOf(int timeline, long seq)
    {
        if (state.FindOrdinal(timeline, seq) is { } stored)
        {
            return stored;
        }

        // An entry that has expired: what is still kept behind it is what is left to read.
        var statement = session.Prepare(
            "SELECT seq, ordinal, flags FROM im_entries WHERE conversation_id = @p1 AND seq >= @p2 ORDER BY seq LIMIT 1");
        statement.AddId(_conversationId).Add(seq);
        var ordinal = _ordinal;
        if (statement.Read())
        {
            var counts = statement.GetInt64(0) > seq && (statement.GetInt64(2) & Tables.Counts) != 0;
            ordinal = Math.Min(ordinal, statement.GetInt64(1) - (counts ? 1 : 0));
        }

        statement.Clear();
        return ordinal;
    }
}
