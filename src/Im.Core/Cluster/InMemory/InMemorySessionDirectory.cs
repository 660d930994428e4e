namespace Im.Cluster;

/// <summary>The directory of the servers of one process.</summary>
internal sealed class InMemorySessionDirectory(InMemoryCluster cluster) : ISessionDirectory
{
    public ValueTask<NodeJoined> JoinAsync(NodeDescription node, TimeSpan lease, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (cluster.Lock)
        {
            var now = cluster.Now;
            if (cluster.Leases.TryGetValue(node.Name, out var held) && held.Until > now && held.Node.Description.InstanceId != node.InstanceId)
            {
                return new(new NodeJoined(0, held.Node));
            }

            var nowMs = now.ToUnixTimeMilliseconds();
            cluster.LastEpoch = Math.Max(cluster.LastEpoch + 1, nowMs);
            cluster.Leases[node.Name] = new InMemoryLease(new LiveNode(node, cluster.LastEpoch, nowMs)) { Until = now + lease };
            return new(new NodeJoined(cluster.LastEpoch, null));
        }
    }

    public ValueTask<IReadOnlyList<LiveNode>?> RenewAsync(NodeDescription node, long epoch, TimeSpan lease, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (cluster.Lock)
        {
            var now = cluster.Now;
            if (!cluster.Leases.TryGetValue(node.Name, out var held) || held.Until <= now || held.Node.Epoch != epoch)
            {
                return new((IReadOnlyList<LiveNode>?)null);
            }

            held.Until = now + lease;
            return new([.. cluster.Leases.Values.Where(other => other.Until > now).Select(other => other.Node).OrderBy(live => live.Name, StringComparer.Ordinal)]);
        }
    }

    public ValueTask LeaveAsync(string nodeName, long epoch, CancellationToken cancellationToken)
    {
        lock (cluster.Lock)
        {
            if (cluster.Leases.TryGetValue(nodeName, out var held) && held.Node.Epoch == epoch)
            {
                if (cluster.Users.Values.Any(user => user.Sessions.Any(session => IsOf(session, held.Node))))
                {
                    held.Until = DateTimeOffset.MinValue;
                }
                else
                {
                    cluster.Leases.Remove(nodeName);
                }
            }
        }

        return default;
    }

    public ValueTask<IReadOnlyList<Registration>> RegisterAsync(IReadOnlyList<DirectorySession> sessions, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (cluster.Lock)
        {
            var results = new Registration[sessions.Count];
            for (var i = 0; i < results.Length; i++)
            {
                results[i] = Register(sessions[i]);
            }

            return new(results);
        }
    }

    public ValueTask<IReadOnlyList<Removal>> RemoveAsync(IReadOnlyList<DirectorySession> sessions, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (cluster.Lock)
        {
            return new([.. sessions.Select(Remove)]);
        }
    }

    public ValueTask<IReadOnlyList<UserSessions>> FindAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (cluster.Lock)
        {
            return new([.. userIds.Select(userId => cluster.Users.TryGetValue(userId, out var user)
                ? new UserSessions(userId, [.. user.Sessions], user.LastSeenMs)
                : new UserSessions(userId, [], 0))]);
        }
    }

    public ValueTask<OnlinePage> ListAsync(string? cursor, int limit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (cluster.Lock)
        {
            var users = cluster.Users
                .Where(pair => pair.Value.Sessions.Count > 0 && (cursor is null || string.CompareOrdinal(pair.Key, cursor) > 0))
                .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Take(limit)
                .Select(pair => new UserSessions(pair.Key, [.. pair.Value.Sessions], pair.Value.LastSeenMs))
                .ToArray();
            return new(new OnlinePage(users, users.Length < limit ? null : users[^1].UserId));
        }
    }

    public ValueTask<IReadOnlyList<LiveNode>> FindDeadNodesAsync(NodeDescription reaper, TimeSpan lockFor, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (cluster.Lock)
        {
            var now = cluster.Now;
            var holder = $"{reaper.Name}/{reaper.InstanceId}";
            if (cluster.ReaperLock.Reaper != holder && cluster.ReaperLock.Until > now)
            {
                return new([]);
            }

            cluster.ReaperLock = (holder, now + lockFor);
            return new([.. cluster.Leases.Values.Where(lease => lease.Until <= now).Select(lease => lease.Node)]);
        }
    }

    // A step is one user.
    public IAsyncEnumerable<IReadOnlyList<(DirectorySession Session, Removal Removal)>> RemoveNodeAsync(
        LiveNode deadNode, CancellationToken cancellationToken) => RemoveNode(deadNode).ToAsyncEnumerable();

    private IEnumerable<IReadOnlyList<(DirectorySession Session, Removal Removal)>> RemoveNode(LiveNode deadNode)
    {
        if (IsDead(deadNode, forget: false))
        {
            foreach (var left in FindAll(deadNode))
            {
                yield return RemoveAll(left);
            }

            IsDead(deadNode, forget: true);
        }
    }

    // Not one that has come back meanwhile.
    private bool IsDead(LiveNode node, bool forget)
    {
        lock (cluster.Lock)
        {
            if (cluster.Leases.TryGetValue(node.Name, out var held) && held.Node.Epoch == node.Epoch)
            {
                if (held.Until > cluster.Now)
                {
                    return false;
                }

                if (forget)
                {
                    cluster.Leases.Remove(node.Name);
                }
            }

            return true;
        }
    }

    private DirectorySession[][] FindAll(LiveNode node)
    {
        lock (cluster.Lock)
        {
            return [.. cluster.Users.Values.Select(user => user.Sessions.Where(session => IsOf(session, node)).ToArray()).Where(left => left.Length > 0)];
        }
    }

    private (DirectorySession Session, Removal Removal)[] RemoveAll(DirectorySession[] sessions)
    {
        lock (cluster.Lock)
        {
            return [.. sessions.Select(session => (Session: session, Removal: Remove(session))).Where(one => one.Removal.IsRemoved)];
        }
    }

    private static bool IsOf(DirectorySession session, LiveNode node) => session.NodeName == node.Name && session.Epoch <= node.Epoch;

    private static bool IsSame(DirectorySession one, DirectorySession other) =>
        one.DeviceId == other.DeviceId && one.NodeName == other.NodeName && one.Epoch == other.Epoch && one.ConnectionId == other.ConnectionId;

    private Registration Register(DirectorySession session)
    {
        if (!cluster.Users.TryGetValue(session.UserId, out var user))
        {
            cluster.Users.Add(session.UserId, user = new InMemoryUser());
        }

        var index = user.Sessions.FindIndex(other => other.DeviceId == session.DeviceId);
        var known = index < 0 ? null : user.Sessions[index];
        var others = user.Sessions.Count - (known is null ? 0 : 1);
        if (known is not null && IsNewer(known, session))
        {
            return new Registration(0, known, others);
        }

        cluster.LastTicket = Math.Max(cluster.LastTicket, session.Ticket) + (session.Ticket == 0 ? 1 : 0);
        var registered = session with { Ticket = session.Ticket == 0 ? cluster.LastTicket : session.Ticket };
        if (index < 0)
        {
            user.Sessions.Add(registered);
        }
        else
        {
            user.Sessions[index] = registered;
        }

        var replaced = known is not null && (known.NodeName != session.NodeName || known.ConnectionId != session.ConnectionId) ? known : null;
        return new Registration(registered.Ticket, replaced, others, known is not null && replaced is null);
    }

    // Whether the one that has the device's place keeps it.
    private static bool IsNewer(DirectorySession known, DirectorySession session)
    {
        if (known.NodeName == session.NodeName && known.ConnectionId == session.ConnectionId)
        {
            return known.Epoch > session.Epoch;
        }

        return known.InstanceId.Length > 0 && known.InstanceId == session.InstanceId && known.Attempt != session.Attempt
            ? known.Attempt > session.Attempt
            : session.Ticket != 0 && known.Ticket > session.Ticket;
    }

    private Removal Remove(DirectorySession session)
    {
        if (!cluster.Users.TryGetValue(session.UserId, out var user))
        {
            return default;
        }

        var removed = user.Sessions.RemoveAll(other => IsSame(other, session)) > 0;
        if (removed && user.Sessions.Count == 0)
        {
            user.LastSeenMs = cluster.Now.ToUnixTimeMilliseconds();
            cluster.ForgetOld();
        }

        return new Removal(removed, user.Sessions.Count);
    }
}
