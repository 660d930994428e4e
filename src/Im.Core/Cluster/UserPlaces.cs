namespace Im.Cluster;

/// <summary>On which other nodes users are connected. Immutable.</summary>
internal sealed class UserPlaces
{
    private readonly Dictionary<string, string[]> _nodes = new(StringComparer.Ordinal);

    public UserPlaces(IReadOnlyList<UserSessions> users, ClusterView view, string ownName)
    {
        foreach (var user in users)
        {
            string[]? nodes = null;
            foreach (var session in user.Sessions)
            {
                if (session.NodeName != ownName && view.MayLive(session) && (nodes is null || !nodes.Contains(session.NodeName)))
                {
                    nodes = nodes is null ? [session.NodeName] : [.. nodes, session.NodeName];
                }
            }

            if (nodes is not null)
            {
                _nodes[user.UserId] = nodes;
            }
        }
    }

    /// <summary>Nobody is known to be anywhere.</summary>
    public static UserPlaces None { get; } = new([], ClusterView.Alone, "");

    /// <summary>The names of the nodes; none for a user who is not connected to another one.</summary>
    public string[] Of(string userId) => _nodes.GetValueOrDefault(userId) ?? [];
}
