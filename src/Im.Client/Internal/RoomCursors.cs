using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>How far a room was received. The book's lock guards it.</summary>
internal sealed class RoomCursors
{
    private readonly SubscribeRoom _request;
    private string _epoch;
    private Cursor _normal;
    private Cursor _high;

    public RoomCursors(SubscribeRoom request, RoomSubscribed answer)
    {
        _request = request;
        _epoch = answer.Epoch;
        _normal = new Cursor(null, HeadOf(answer, RoomPriority.Normal));
        _high = new Cursor(null, HeadOf(answer, RoomPriority.High));
    }

    public static long HeadOf(RoomSubscribed answer, RoomPriority priority) =>
        answer.Heads.LastOrDefault(head => head.Priority == priority)?.RoomSeq ?? 0;

    public void Resubscribed(RoomSubscribed answer)
    {
        if (answer.Epoch != _epoch)
        {
            BeginEpoch(answer.Epoch);
        }
    }

    /// <summary>What follows on what was received; and where the room has begun to count anew since, all that is kept.</summary>
    public SubscribeRoom Resubscribe()
    {
        var again = new SubscribeRoom { RoomId = _request.RoomId };
        if (_normal.Received is null && _high.Received is null && (_request.ReplayMessages > 0 || _request.ReplayMs > 0))
        {
            // Not even the replay has come.
            again.ReplayMessages = _request.ReplayMessages;
            again.ReplayMs = _request.ReplayMs;
            return again;
        }

        again.Epoch = _epoch;
        again.ReplayMessages = int.MaxValue;
        again.Cursors.Add(new RoomCursor { Priority = RoomPriority.Normal, RoomSeq = _normal.Received ?? _normal.Head });
        again.Cursors.Add(new RoomCursor { Priority = RoomPriority.High, RoomSeq = _high.Received ?? _high.Head });
        return again;
    }

    public (bool IsNew, ImRoomGapEvent? Gap) Place(RoomPush push, long seq)
    {
        if (push.Epoch != _epoch)
        {
            BeginEpoch(push.Epoch);
        }

        var cursor = Of(push.Priority);
        if (seq <= cursor.Received)
        {
            return (false, null);
        }

        // Before the first message anything up to the head is a replay, which begins where it begins.
        var from = (cursor.Received ?? cursor.Head) + 1;
        return (true, seq > from ? new ImRoomGapEvent(push.RoomId, push.Priority, from, seq - 1) : null);
    }

    public void Advance(RoomPush push, long seq)
    {
        if (push.Epoch == _epoch)
        {
            Of(push.Priority) = new Cursor(seq, 0);
        }
    }

    private void BeginEpoch(string epoch)
    {
        _epoch = epoch;
        _normal = _high = new Cursor(0, 0);
    }

    private ref Cursor Of(RoomPriority priority) => ref priority == RoomPriority.High ? ref _high : ref _normal;

    // Received is null until the first message; Head is what the server said at the subscription.
    private readonly record struct Cursor(long? Received, long Head);
}
