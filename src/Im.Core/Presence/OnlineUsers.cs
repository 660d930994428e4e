using Im.Cluster;
using Im.Connections;

namespace Im.Presence;

/// <summary>Who is online on any node.</summary>
internal sealed class OnlineUsers(SessionRegistry sessions, ISessionDirectory directory, ClusterState state)
{
    /// <summary>Those of the users who have a session. Where the directory is away: a session on this node.</summary>
    public async ValueTask<HashSet<string>> FindAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        var online = userIds.Where(sessions.IsOnline).ToHashSet(StringComparer.Ordinal);
        var others = state.HasPeers && state.DirectoryFailure is null ? userIds.Where(userId => !online.Contains(userId)).ToArray() : [];
        if (others.Length == 0)
        {
            return online;
        }

        try
        {
            var view = state.View;
            foreach (var user in await directory.FindAsync(others, cancellationToken))
            {
                if (user.Sessions.Any(session => session.NodeName != state.Node.Name && view.IsAlive(session)))
                {
                    online.Add(user.UserId);
                }
            }
        }
        catch (ImClusterException exception)
        {
            state.DirectoryFailure ??= exception;
        }

        return online;
    }
}
