using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Im.Client.Internal;

/// <summary>The bounded buffer between the read loop and the application, and the cursors of what the application has finished.</summary>
/// <remarks>The read loop writes, one consumer reads. The lock protects the finished cursors and their counters; it is never held over I/O.</remarks>
internal sealed class EventStream
{
    private readonly Channel<QueuedEvent> _channel;
    private readonly Lock _gate = new();
    private readonly CursorSet _finished = new(ImCursors.None);
    private readonly HashSet<string> _moved = new(StringComparer.Ordinal);
    private QueuedEvent? _inHand;
    private int _epoch;
    private int _reading;
    private int _unsaved;
    private bool _inboxMoved;
    private volatile bool _blocked;

    /// <summary>Wakes the read loop: there is room, or the application waits for an answer.</summary>
    private readonly Signal _wake = new();

    private readonly TimeProvider _time;
    private long _lastTaken;

    public EventStream(int capacity, TimeProvider time)
    {
        // The consumer and the drain of a reset both take from the channel.
        _channel = Channel.CreateBounded<QueuedEvent>(new BoundedChannelOptions(capacity) { SingleWriter = true });
        _time = time;
        _lastTaken = time.GetTimestamp();
    }

    /// <summary>Called after each finished event with the number of those that are not saved yet; outside of the lock.</summary>
    public Action<int>? Finished { get; set; }

    /// <summary>Whether the read loop waits for the application.</summary>
    public bool IsBlocked => _blocked;

    public int Epoch => Volatile.Read(ref _epoch);

    public void Load(ImCursors cursors)
    {
        lock (_gate)
        {
            _finished.Load(cursors);
        }
    }

    /// <summary>Says whose cursors they are, and the generation where there was none.</summary>
    public void SetIdentity(string userId, string generation)
    {
        lock (_gate)
        {
            _finished.UserId = userId;
            if (_finished.Generation.Length == 0)
            {
                _finished.Generation = generation;
            }
        }
    }

    /// <summary>Set when the application has taken the last event of the buffer.</summary>
    public Signal Drained { get; } = new();

    /// <summary>When the application took an event for the last time.</summary>
    public long LastTaken => Volatile.Read(ref _lastTaken);

    /// <summary>Whether the application has taken everything.</summary>
    public bool IsEmpty => _channel.Reader.Count == 0;

    /// <summary>Adds an event, waiting for room. Cancelled means not added.</summary>
    /// <param name="item">The event.</param>
    /// <param name="patience">How long the wait may still take; null = as long as it takes. Asked again at each <see cref="Wake"/>.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <returns>False: there was no room in that time, and the event was not added.</returns>
    public async ValueTask<bool> TryWriteAsync(QueuedEvent item, Func<TimeSpan?> patience, CancellationToken cancellationToken)
    {
        if (_channel.Writer.TryWrite(item))
        {
            return true;
        }

        _blocked = true;
        try
        {
            while (true)
            {
                var left = patience();
                if (left <= TimeSpan.Zero)
                {
                    return false;
                }

                await _wake.WaitAsync(left ?? Timeout.InfiniteTimeSpan, _time, cancellationToken).ConfigureAwait(false);
                if (_channel.Writer.TryWrite(item))
                {
                    return true;
                }
            }
        }
        finally
        {
            _blocked = false;
        }
    }

    /// <summary>Waits for a <see cref="Wake"/> that changes the condition.</summary>
    public async ValueTask WaitWhileAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        _blocked = true;
        try
        {
            while (condition())
            {
                await _wake.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _blocked = false;
        }
    }

    /// <summary>The application has asked for something: who waits for room looks again.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Drops what the application has not taken yet and puts the reset in its place.</summary>
    public void Reset(ImResetEvent reset)
    {
        var epoch = Interlocked.Increment(ref _epoch);
        var ofRooms = new List<ImEvent>();
        while (_channel.Reader.TryRead(out var dropped))
        {
            // Rooms do not begin anew with a reset.
            if (dropped.Event is ImRoomMessageEvent or ImRoomGapEvent or ImRoomLeftEvent)
            {
                ofRooms.Add(dropped.Event);
            }
        }

        // There is room: this is the only writer.
        _channel.Writer.TryWrite(new QueuedEvent(reset, null, epoch));
        foreach (var item in ofRooms)
        {
            _channel.Writer.TryWrite(new QueuedEvent(item, null, epoch));
        }
    }

    /// <summary>Nothing more comes; the application may take what is in the buffer.</summary>
    public void Complete(Exception? error) => _channel.Writer.TryComplete(error);

    /// <summary>Nothing more is handed out.</summary>
    public void End()
    {
        _channel.Writer.TryComplete();
        Interlocked.Increment(ref _epoch);
        while (_channel.Reader.TryRead(out _))
        {
        }
    }

    public async IAsyncEnumerable<ImEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _reading, 1) != 0)
        {
            throw new InvalidOperationException("One ReadAsync at a time: the order of events has one reader. Hand them on from there.");
        }

        try
        {
            while (true)
            {
                // What an earlier enumeration was given and did not finish comes again.
                var item = _inHand;
                if (item is null || item.Epoch != Epoch)
                {
                    item = await TakeAsync(cancellationToken).ConfigureAwait(false);
                    if (item is null)
                    {
                        yield break;
                    }
                }

                if (item.Event is not SkipEvent)
                {
                    _inHand = item;
                    yield return item.Event;
                    _inHand = null;
                }

                Finish(item);
            }
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    /// <summary>The cursors to save; they count as saved until <see cref="SaveFailed"/>.</summary>
    public ImCursors TakeUnsaved()
    {
        lock (_gate)
        {
            _unsaved = 0;
            return _finished.ToCursors();
        }
    }

    public void SaveFailed()
    {
        lock (_gate)
        {
            _unsaved++;
        }
    }

    public bool HasUnsaved
    {
        get
        {
            lock (_gate)
            {
                return _unsaved > 0;
            }
        }
    }

    /// <summary>A new connection: the last ack may have been lost with the old one. False: there is nothing to tell.</summary>
    public bool RepeatAck()
    {
        lock (_gate)
        {
            _inboxMoved = _finished.InboxSeq > 0;
            _moved.UnionWith(_finished.OpenConversations().Select(c => c.Key));
            return _inboxMoved || _moved.Count > 0;
        }
    }

    /// <summary>What to tell a server of this generation: the cursors that moved since the last call.</summary>
    public bool TryTakeAck(string generation, out Im.Protocol.DeviceAck ack)
    {
        ack = new Im.Protocol.DeviceAck();
        lock (_gate)
        {
            // Of another generation: the reset has not been finished, and these numbers mean nothing to the server.
            if (_finished.Generation != generation || (!_inboxMoved && _moved.Count == 0))
            {
                return false;
            }

            ack.InboxSeq = _finished.InboxSeq;
            foreach (var id in _moved)
            {
                if (_finished.FindOpen(id) is { } seq)
                {
                    ack.Conversations.Add(new Im.Protocol.ConversationCursor { ConversationId = id, ConversationSeq = seq });
                }
            }

            _moved.Clear();
            _inboxMoved = false;
            return true;
        }
    }

    private async ValueTask<QueuedEvent?> TakeAsync(CancellationToken cancellationToken)
    {
        while (await _channel.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_channel.Reader.TryRead(out var item))
            {
                Volatile.Write(ref _lastTaken, _time.GetTimestamp());
                _wake.Set();
                if (IsEmpty)
                {
                    Drained.Set();
                }

                return item;
            }
        }

        return null;
    }

    private void Finish(QueuedEvent item)
    {
        int unsaved;
        lock (_gate)
        {
            switch (item.Event)
            {
                case ImEntryEvent entry:
                    _finished.Apply(entry, item.Change);
                    if (entry.ConversationId is { } id)
                    {
                        _moved.Add(id);
                    }
                    else
                    {
                        _inboxMoved = true;
                    }

                    break;
                case SkipEvent skip:
                    _finished.Apply(skip);
                    _moved.Add(skip.ConversationId);
                    break;
                case ImResetEvent reset:
                    _finished.Reset(reset);
                    _moved.Clear();
                    _moved.UnionWith(_finished.OpenConversations().Select(c => c.Key));
                    _inboxMoved = true;
                    break;
                default:
                    return;
            }

            unsaved = ++_unsaved;
        }

        Finished?.Invoke(unsaved);
    }
}
