using System.Buffers;
using System.Collections.Concurrent;

namespace Im.Connections;

/// <summary>Which sessions of this node follow a conversation's own timeline, that is, the members' sessions of conversations with fan-out on read.</summary>
/// <remarks>Thread-safe. A conversation's lock is held for the copying of references only, never while a session is called.</remarks>
internal sealed class ConversationReaders
{
    private readonly ConcurrentDictionary<string, Readers> _conversations = new(StringComparer.Ordinal);

    /// <summary>Adds a session; adding it twice is no error.</summary>
    public void Add(string conversationId, Session session)
    {
        while (!_conversations.GetOrAdd(conversationId, static _ => new Readers()).TryAdd(session))
        {
            // The set was just emptied and taken out; the next one is another.
        }
    }

    /// <summary>Removes a session; removing it twice is no error.</summary>
    public void Remove(string conversationId, Session session)
    {
        if (_conversations.TryGetValue(conversationId, out var readers) && readers.Remove(session))
        {
            _conversations.TryRemove(KeyValuePair.Create(conversationId, readers));
        }
    }

    /// <summary>The sessions now, in an array rented from the shared pool, or null; return it when done.</summary>
    public Session[]? Rent(string conversationId, out int count)
    {
        count = 0;
        return _conversations.TryGetValue(conversationId, out var readers) ? readers.Rent(out count) : null;
    }

    private sealed class Readers
    {
        private readonly Lock _lock = new();
        private readonly HashSet<Session> _sessions = [];
        private bool _isRetired;

        public bool TryAdd(Session session)
        {
            lock (_lock)
            {
                if (!_isRetired)
                {
                    _sessions.Add(session);
                }

                return !_isRetired;
            }
        }

        // True: it is empty and takes nobody any more.
        public bool Remove(Session session)
        {
            lock (_lock)
            {
                _sessions.Remove(session);
                return _isRetired |= _sessions.Count == 0;
            }
        }

        public Session[] Rent(out int count)
        {
            lock (_lock)
            {
                count = _sessions.Count;
                var copy = ArrayPool<Session>.Shared.Rent(count);
                _sessions.CopyTo(copy);
                return copy;
            }
        }
    }
}
