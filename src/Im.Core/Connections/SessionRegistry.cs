using System.Collections.Concurrent;

namespace Im.Connections;

/// <summary>The sessions of this node by user.</summary>
/// <remarks>Thread-safe; a user's sessions are an array that is replaced, never changed, so looking up takes no lock and allocates nothing.</remarks>
internal sealed class SessionRegistry
{
    private readonly ConcurrentDictionary<string, Session[]> _byUser = new(StringComparer.Ordinal);

    /// <summary>The user's sessions now.</summary>
    public ReadOnlySpan<Session> Get(string userId) => _byUser.TryGetValue(userId, out var sessions) ? sessions : [];

    /// <summary>All sessions, as they come and go meanwhile.</summary>
    public IEnumerable<Session> All => _byUser.SelectMany(pair => pair.Value);

    /// <summary>How many users and how many sessions there are, as they come and go meanwhile.</summary>
    public (int Users, int Sessions) Count()
    {
        var (users, count) = (0, 0);
        foreach (var pair in _byUser)
        {
            users++;
            count += pair.Value.Length;
        }

        return (users, count);
    }

    public bool IsOnline(string userId) => _byUser.ContainsKey(userId);

    /// <summary>
    /// Adds a session in place of an older one of the same user and device, which is returned as ended. A session whose client has a newer one here
    /// already is not added, and is itself ended; nor is one that is one too many.
    /// </summary>
    public (Session? Ended, bool IsFull) Add(Session session, int maxPerUser)
    {
        while (true)
        {
            if (!_byUser.TryGetValue(session.UserId, out var sessions))
            {
                if (_byUser.TryAdd(session.UserId, [session]))
                {
                    return (null, false);
                }

                continue;
            }

            var replaced = Array.Find(sessions, other => other.Device.DeviceId == session.Device.DeviceId);
            if (replaced?.IsNewerThan(session) == true)
            {
                return (session, false);
            }

            if (replaced is null && sessions.Length >= maxPerUser)
            {
                return (null, true);
            }

            Session[] updated = [.. sessions.Where(other => other != replaced), session];
            if (_byUser.TryUpdate(session.UserId, updated, sessions))
            {
                return (replaced, false);
            }
        }
    }

    /// <summary>Removes exactly this session: not the newer one that took its device's place.</summary>
    public void Remove(Session session)
    {
        while (_byUser.TryGetValue(session.UserId, out var sessions))
        {
            var updated = Array.FindAll(sessions, other => other != session);
            if (updated.Length == sessions.Length
                || (updated.Length == 0 && _byUser.TryRemove(KeyValuePair.Create(session.UserId, sessions)))
                || (updated.Length > 0 && _byUser.TryUpdate(session.UserId, updated, sessions)))
            {
                return;
            }
        }
    }
}
