using Im.Connections;

namespace Im.Presence;

/// <summary>What one connection watches. Guarded by the lock of <see cref="PresenceWatches"/>.</summary>
internal sealed class Watcher(Session session)
{
    public Session Session { get; } = session;

    /// <summary>Users watched by themselves.</summary>
    public HashSet<string> Users { get; } = new(StringComparer.Ordinal);

    /// <summary>Conversations watched, and which of the members may be seen: null = all.</summary>
    public Dictionary<WatchedConversation, HashSet<string>?> Conversations { get; } = [];

    /// <summary>Whose new state this one has not been told yet.</summary>
    public HashSet<string> Pending { get; } = new(StringComparer.Ordinal);

    /// <summary>Subscriptions whose reply is not queued yet: no change is told before it.</summary>
    public int Starting { get; set; }

    public int Count => Users.Count + Conversations.Sum(pair => pair.Value?.Count ?? pair.Key.Users.Count);

    public bool Sees(string userId)
    {
        if (Users.Contains(userId))
        {
            return true;
        }

        foreach (var (conversation, visible) in Conversations)
        {
            if (conversation.Users.Contains(userId) && visible?.Contains(userId) != false)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>A conversation whose members are watched on this node: one list of members for all who watch it.</summary>
internal sealed class WatchedConversation(string id, long version)
{
    public string Id { get; } = id;

    /// <summary>The membership version that <see cref="Users"/> belongs to.</summary>
    public long Version { get; set; } = version;

    /// <summary>Whether it has more members than are watched.</summary>
    public bool IsPartial { get; set; }

    public HashSet<string> Users { get; } = new(StringComparer.Ordinal);

    public HashSet<Watcher> Watchers { get; } = [];
}

/// <summary>A user whom somebody on this node watches.</summary>
internal sealed class WatchedUser
{
    /// <summary>As far as is known; null = not read yet.</summary>
    public PresenceState? State { get; set; }

    public HashSet<Watcher> Watchers { get; } = [];

    public HashSet<WatchedConversation> Conversations { get; } = [];
}
