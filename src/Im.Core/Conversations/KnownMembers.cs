namespace Im.Conversations;

/// <summary>What this node knows of some users of a large group at one membership version: whether they are members. Bounded; thread-safe.</summary>
internal sealed class KnownMembers(int capacity)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, bool> _users = new(StringComparer.Ordinal);
    private long _version;

    public bool? Find(long version, string userId)
    {
        lock (_lock)
        {
            return version == _version && _users.TryGetValue(userId, out var isMember) ? isMember : null;
        }
    }

    public void Set(long version, string userId, bool isMember)
    {
        lock (_lock)
        {
            if (version < _version)
            {
                return;
            }

            // A newer version says nothing of the users who were known before.
            if (version > _version || (_users.Count >= capacity && !_users.ContainsKey(userId)))
            {
                _users.Clear();
                _version = version;
            }

            _users[userId] = isMember;
        }
    }

    /// <summary>The version after <paramref name="fromVersion"/> differs from it by these users only.</summary>
    public void Change(long fromVersion, IReadOnlyList<string> added, IReadOnlyList<string> removed)
    {
        lock (_lock)
        {
            if (_version != fromVersion)
            {
                return;
            }

            _version++;
            Correct(added, true);
            Correct(removed, false);
        }
    }

    private void Correct(IReadOnlyList<string> userIds, bool isMember)
    {
        foreach (var userId in userIds)
        {
            if (_users.ContainsKey(userId))
            {
                _users[userId] = isMember;
            }
        }
    }
}
