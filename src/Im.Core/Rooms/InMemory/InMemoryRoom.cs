using Im.Protocol;

namespace Im.Rooms.InMemory;

/// <summary>One room: two sequences, what is kept of them, and who listens.</summary>
/// <remarks>
/// Two locks: a sequence's is held from the numbering to the end of the handing out, so that listeners get its batches in order and a publisher waits for
/// them; the room's, taken under it, guards the fields for a few steps.
/// </remarks>
internal sealed class InMemoryRoom(string id, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Sequence _high = new();
    private readonly Sequence _normal = new();
    private Action<RoomBatch>[] _listeners = [];

    // Empty: nobody has published yet, or it was forgotten since.
    private string _epoch = "";
    private long _publishedAt;
    private TimeSpan _keepFor;

    /// <summary>It was taken out of the rooms; there is another one by its name, or none.</summary>
    public bool IsGone { get; private set; }

    public bool TryPublish(RoomPriority priority, IReadOnlyList<ReadOnlyMemory<byte>> messages, RoomReplayLimits keep, out RoomPosition first)
    {
        var sequence = Get(priority);
        lock (sequence.Order)
        {
            Action<RoomBatch>[] listeners;
            lock (_lock)
            {
                first = default;
                if (IsGone)
                {
                    return false;
                }

                ForgetIfOld();
                if (_epoch.Length == 0)
                {
                    _epoch = Guid.NewGuid().ToString("N");
                }

                _publishedAt = time.GetTimestamp();
                _keepFor = keep.Age;
                first = new RoomPosition(_epoch, sequence.Head + 1);
                sequence.Append(messages, keep, time.GetUtcNow().ToUnixTimeMilliseconds());
                listeners = _listeners;
            }

            if (messages.Count > 0)
            {
                var batch = new RoomBatch(id, first.Epoch, priority, first.Seq, messages);
                foreach (var listener in listeners)
                {
                    listener(batch);
                }
            }

            return true;
        }
    }

    public bool TryListen(Action<RoomBatch> receive)
    {
        lock (_lock)
        {
            if (!IsGone && !_listeners.Contains(receive))
            {
                _listeners = [.. _listeners, receive];
            }

            return !IsGone;
        }
    }

    public void StopListening(Action<RoomBatch> receive)
    {
        lock (_lock)
        {
            _listeners = Array.FindAll(_listeners, other => other != receive);
        }
    }

    public RoomReplay Read(RoomPriority priority, long afterSeq, int limit, long notBeforeMs)
    {
        lock (_lock)
        {
            ForgetIfOld();
            var sequence = Get(priority);
            var oldestMs = time.GetUtcNow().ToUnixTimeMilliseconds() - (long)_keepFor.TotalMilliseconds;
            return sequence.Read(_epoch, afterSeq, limit, Math.Max(notBeforeMs, oldestMs));
        }
    }

    /// <summary>Ends the room if nobody needs it any more.</summary>
    public bool TryGo()
    {
        lock (_lock)
        {
            ForgetIfOld();
            return IsGone |= _epoch.Length == 0 && _listeners.Length == 0;
        }
    }

    private void ForgetIfOld()
    {
        if (_epoch.Length > 0 && time.GetElapsedTime(_publishedAt) > _keepFor)
        {
            _epoch = "";
            _high.Clear();
            _normal.Clear();
        }
    }

    private Sequence Get(RoomPriority priority) => priority == RoomPriority.High ? _high : _normal;

    private sealed class Sequence
    {
        private readonly Queue<(long Ms, ReadOnlyMemory<byte> Message)> _kept = new();

        public Lock Order { get; } = new();

        public long Head { get; private set; }

        public void Append(IReadOnlyList<ReadOnlyMemory<byte>> messages, RoomReplayLimits keep, long nowMs)
        {
            Head += messages.Count;
            foreach (var message in messages)
            {
                _kept.Enqueue((nowMs, message));
            }

            var oldestMs = nowMs - (long)keep.Age.TotalMilliseconds;
            while (_kept.Count > keep.Messages || (_kept.TryPeek(out var oldest) && oldest.Ms < oldestMs))
            {
                _kept.Dequeue();
            }
        }

        public RoomReplay Read(string epoch, long afterSeq, int limit, long notBeforeMs)
        {
            var seq = Head - _kept.Count;
            var found = new List<ReadOnlyMemory<byte>>();
            foreach (var (ms, message) in _kept)
            {
                seq++;
                if (seq > afterSeq && seq > Head - limit && ms >= notBeforeMs)
                {
                    found.Add(message);
                }
            }

            return new RoomReplay(new RoomPosition(epoch, Head), Head - found.Count + 1, found);
        }

        public void Clear()
        {
            Head = 0;
            _kept.Clear();
        }
    }
}
