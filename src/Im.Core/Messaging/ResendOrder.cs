namespace Im.Messaging;

/// <summary>
/// Keeps the order of what is to be sent again: while a refused message has not come back, later ones of the same connection to the same conversation are
/// refused too, though the store would take them by now.
/// </summary>
/// <remarks>
/// <code>
/// refused, in the order in which they first came:   a1  a2  a3  a4
///                                                   ──────┘ │
///                     came again, in a batch or on the way  └ the next one that is let through
/// </code>
/// Whoever gives a message up holds back the later ones until <see cref="HoldFor"/> has passed since the store last failed. Used by the committer's loop
/// only. Bounded: where there are too many, order is not kept, and nothing else is lost.
/// </remarks>
internal sealed class ResendOrder(TimeProvider time)
{
    private const int MaxIds = 4096;
    private const int MaxHeld = 100_000;

    // Longer than any client library waits before it sends again.
    private static readonly TimeSpan HoldFor = TimeSpan.FromSeconds(15);

    private readonly Dictionary<(object Origin, string ConversationId), Held> _held = [];
    private long _sweptAt = time.GetTimestamp();

    /// <summary>Whether the message must come again after others that are to come again before it.</summary>
    public bool MustWait(PendingMessage message)
    {
        if (_held.Count == 0 || !_held.TryGetValue(Key(message), out var held))
        {
            return false;
        }

        if (IsOver(held))
        {
            _held.Remove(Key(message));
            return false;
        }

        var index = held.Ids.IndexOf(message.ClientMessageId);
        if (index == held.Admitted)
        {
            held.Admitted++;
            return false;
        }

        if (index < 0)
        {
            Add(message, held);
        }

        return index < 0 || index > held.Admitted;
    }

    /// <summary>The message was refused because the store failed; it will come again.</summary>
    public void Refused(PendingMessage message)
    {
        if (!_held.TryGetValue(Key(message), out var held))
        {
            if (_held.Count >= MaxHeld)
            {
                Sweep();
                if (_held.Count >= MaxHeld)
                {
                    return;
                }
            }

            _held.Add(Key(message), held = new Held());
        }

        held.Since = time.GetTimestamp();
        var index = held.Ids.IndexOf(message.ClientMessageId);
        if (index < 0)
        {
            Add(message, held);
        }
        else
        {
            held.Admitted = Math.Min(held.Admitted, index);
        }
    }

    /// <summary>The message has its answer and will not come again.</summary>
    public void Answered(PendingMessage message)
    {
        if (_held.Count == 0 || !_held.TryGetValue(Key(message), out var held) || held.Ids.IndexOf(message.ClientMessageId) is not (>= 0 and var index))
        {
            return;
        }

        held.Ids.RemoveAt(index);
        held.Admitted -= index < held.Admitted ? 1 : 0;
        if (held.Ids.Count == 0)
        {
            _held.Remove(Key(message));
        }
    }

    /// <summary>Forgets those that have not come back.</summary>
    public void Sweep()
    {
        if (_held.Count == 0 || time.GetElapsedTime(_sweptAt) < HoldFor)
        {
            return;
        }

        _sweptAt = time.GetTimestamp();
        foreach (var (key, held) in _held)
        {
            if (IsOver(held))
            {
                _held.Remove(key);
            }
        }
    }

    private static (object Origin, string ConversationId) Key(PendingMessage message) => (message.Origin, message.ConversationId);

    private bool IsOver(Held held) => time.GetElapsedTime(held.Since) >= HoldFor;

    private void Add(PendingMessage message, Held held)
    {
        held.Ids.Add(message.ClientMessageId);
        if (held.Ids.Count > MaxIds)
        {
            _held.Remove(Key(message));
        }
    }

    private sealed class Held
    {
        /// <summary>When the store last failed for one of them.</summary>
        public long Since { get; set; }

        /// <summary>Those that have no answer yet, in the order in which they first came.</summary>
        public List<string> Ids { get; } = [];

        /// <summary>How many of them, from the front, have come again and were let through.</summary>
        public int Admitted { get; set; }
    }
}
