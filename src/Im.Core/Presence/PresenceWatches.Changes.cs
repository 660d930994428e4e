namespace Im.Presence;

/// <content>What is known of those who are watched, and who is to be told.</content>
/// <remarks>
/// <code>
///            says more, or the same            says less
///  state ───────────────────────▶ taken      ──────────────▶ due after the grace ──read again──▶ taken, whatever it says
/// </code>
/// Whatever was taken is read once more a little later: two nodes that tell of one user at once may be heard in the wrong order.
/// </remarks>
internal sealed partial class PresenceWatches
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Due> _due = new(StringComparer.Ordinal);
    private readonly HashSet<Watcher> _waiting = [];

    /// <summary>Takes what was told or read, as far as somebody watches it.</summary>
    /// <param name="states">The states.</param>
    /// <param name="final">The users whose grace is over, from <see cref="TakeDue"/>.</param>
    public void Apply(IReadOnlyList<PresenceState> states, Dictionary<string, long>? final = null)
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            foreach (var state in states)
            {
                if (_users.TryGetValue(state.UserId, out var user))
                {
                    // Who was back meanwhile, and is gone again, has a grace of its own.
                    var isFinal = final is not null && final.TryGetValue(state.UserId, out var lastSeenMs) && (state.IsOnline || state.LastSeenMs == lastSeenMs);
                    ApplyLocked(user, state, isFinal, now);
                }
            }
        }
    }

    /// <summary>The users whose states are to be read now; those whose grace is over, and others.</summary>
    public (Dictionary<string, long> Final, string[] Others) TakeDue()
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            var due = _due.Where(pair => pair.Value.At <= now).ToArray();
            foreach (var (userId, _) in due)
            {
                _due.Remove(userId);
            }

            return (
                due.Where(pair => pair.Value.IsFinal).ToDictionary(pair => pair.Key, pair => pair.Value.LastSeenMs, StringComparer.Ordinal),
                [.. due.Where(pair => !pair.Value.IsFinal).Select(pair => pair.Key)]);
        }
    }

    /// <summary>They could not be read: again later.</summary>
    public void Postpone(IEnumerable<string> userIds, Dictionary<string, long>? final)
    {
        var at = time.GetTimestamp() + Ticks(Settle);
        lock (_lock)
        {
            foreach (var userId in userIds.Where(_users.ContainsKey))
            {
                _due.TryAdd(userId, final is null ? new Due(at, false, 0) : new Due(at, true, final[userId]));
            }
        }
    }

    /// <summary>Who is to be told something, and the conversations that they watch somebody of it in.</summary>
    public (Watcher[] Watchers, string[] Conversations) TakeWaiting()
    {
        lock (_lock)
        {
            Watcher[] taken = [.. _waiting.Where(watcher => watcher.Starting == 0)];
            var conversations = new HashSet<string>(StringComparer.Ordinal);
            foreach (var watcher in taken)
            {
                _waiting.Remove(watcher);
                foreach (var userId in watcher.Pending.Where(userId => !watcher.Users.Contains(userId)))
                {
                    conversations.UnionWith(_users.GetValueOrDefault(userId)?.Conversations.Select(conversation => conversation.Id) ?? []);
                }
            }

            return (taken, [.. conversations]);
        }
    }

    /// <summary>What the watcher is to be told, of those whom it still sees; in one order for all.</summary>
    public PresenceState[] TakePending(Watcher watcher)
    {
        lock (_lock)
        {
            PresenceState[] states =
            [
                .. watcher.Pending
                    .Where(watcher.Sees)
                    .Select(userId => _users.GetValueOrDefault(userId)?.State)
                    .OfType<PresenceState>()
                    .OrderBy(state => state.UserId, StringComparer.Ordinal),
            ];
            watcher.Pending.Clear();
            return states;
        }
    }

    /// <summary>It could not be told: next time, with whatever is so then.</summary>
    public void Restore(Watcher watcher, IEnumerable<string> userIds)
    {
        lock (_lock)
        {
            if (_watchers.ContainsKey(watcher.Session))
            {
                watcher.Pending.UnionWith(userIds);
                _waiting.Add(watcher);
            }
        }
    }

    private void ApplyLocked(WatchedUser user, PresenceState state, bool isFinal, long now)
    {
        if (user.State is not { } known)
        {
            _due.Remove(state.UserId);
            SetLocked(user, state);
            return;
        }

        if (!isFinal && state.Loses(known))
        {
            if (!_due.TryGetValue(state.UserId, out var due) || !due.IsFinal || due.LastSeenMs != state.LastSeenMs)
            {
                _due[state.UserId] = new Due(now + Ticks(_options.OfflineGrace), true, state.LastSeenMs);
            }

            if (!state.IsOnline)
            {
                return;
            }

            // What has come shows at once, what has gone a little longer.
            state = state.Join(known);
        }
        else
        {
            _due.Remove(state.UserId);
        }

        if (!state.IsSameAs(known))
        {
            SetLocked(user, state);
            _due.TryAdd(state.UserId, new Due(now + Ticks(Settle), false, 0));
        }
    }

    private void SetLocked(WatchedUser user, PresenceState state)
    {
        user.State = state;
        foreach (var watcher in user.Watchers)
        {
            MarkLocked(watcher, state.UserId);
        }

        foreach (var conversation in user.Conversations)
        {
            foreach (var watcher in conversation.Watchers)
            {
                MarkLocked(watcher, state.UserId);
            }
        }
    }

    private void MarkLocked(Watcher watcher, string userId)
    {
        watcher.Pending.Add(userId);
        _waiting.Add(watcher);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    // LastSeenMs: when who is to be shown as offline was last seen.
    private readonly record struct Due(long At, bool IsFinal, long LastSeenMs);
}
