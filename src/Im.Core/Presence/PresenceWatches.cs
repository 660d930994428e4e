using Im.Connections;
using Im.Conversations;
using Im.Protocol;
using Microsoft.Extensions.Options;

namespace Im.Presence;

/// <summary>Which connections of this node watch whom, and what is known of those who are watched.</summary>
/// <remarks>
/// One lock guards everything, for a few steps at a time; nothing is sent or read under it. What a connection watches in a conversation is kept once for
/// all who watch that, so a group of n costs n and not n × n.
/// </remarks>
internal sealed partial class PresenceWatches(TimeProvider time, PresenceMetrics metrics, IOptions<ImPresenceOptions> options)
{
    private readonly ImPresenceOptions _options = options.Value;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, WatchedUser> _users = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WatchedConversation> _conversations = new(StringComparer.Ordinal);
    private readonly Dictionary<Session, Watcher> _watchers = [];

    /// <summary>How many users are watched; for tests.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _users.Count;
            }
        }
    }

    public bool IsWatched(string userId)
    {
        lock (_lock)
        {
            return _users.ContainsKey(userId);
        }
    }

    public string[] WatchedUsers()
    {
        lock (_lock)
        {
            return [.. _users.Keys];
        }
    }

    public string[] WatchedConversations()
    {
        lock (_lock)
        {
            return [.. _conversations.Keys];
        }
    }

    /// <summary>
    /// The connection watches these users from now on; <see cref="Answer"/> follows. False: it would be more than the limit, and nothing has changed.
    /// </summary>
    /// <param name="session">The connection's session.</param>
    /// <param name="userIds">Users to be watched by themselves.</param>
    /// <param name="conversation">A conversation; null = none.</param>
    /// <param name="members">Its members who are to be watched.</param>
    /// <param name="isPartial">Whether the conversation has more members.</param>
    /// <param name="seesAll">Whether the connection may see whoever is a member.</param>
    public bool TryAdd(
        Session session, IReadOnlyList<string> userIds, ConversationInfo? conversation, IReadOnlyList<string> members, bool isPartial, bool seesAll)
    {
        lock (_lock)
        {
            var watcher = _watchers.GetValueOrDefault(session);
            var more = userIds.Count(userId => watcher?.Users.Contains(userId) != true) + members.Count - CountOf(watcher, conversation);
            if ((watcher?.Count ?? 0) + more > _options.MaxUsersPerConnection)
            {
                return false;
            }

            if (watcher is null)
            {
                _watchers.Add(session, watcher = new Watcher(session));
                metrics.Watching(1);
            }

            watcher.Starting++;
            foreach (var userId in userIds)
            {
                watcher.Users.Add(userId);
                UserLocked(userId).Watchers.Add(watcher);
            }

            if (conversation is not null)
            {
                AddLocked(watcher, conversation, members, isPartial, seesAll);
            }

            return true;
        }
    }

    /// <summary>What the connection is shown of these users now, as an answer; call <see cref="Answered"/> when that is queued.</summary>
    public PresenceSubscribed Answer(Session session, IEnumerable<string> userIds, bool isPartial)
    {
        var answer = new PresenceSubscribed { IsPartial = isPartial };
        lock (_lock)
        {
            if (_watchers.TryGetValue(session, out var watcher))
            {
                foreach (var userId in userIds)
                {
                    if (watcher.Sees(userId) && _users.GetValueOrDefault(userId)?.State is { } state)
                    {
                        answer.Users.Add(state.ToWire());
                        watcher.Pending.Remove(userId);
                    }
                }
            }
        }

        return answer;
    }

    /// <summary>The answer to a subscription is queued: changes may follow.</summary>
    public void Answered(Session session)
    {
        lock (_lock)
        {
            if (_watchers.TryGetValue(session, out var watcher))
            {
                watcher.Starting--;
                if (watcher.Pending.Count > 0)
                {
                    _waiting.Add(watcher);
                }
            }
        }
    }

    /// <summary>The connection watches these users, and this conversation, no more.</summary>
    public void Remove(Session session, IEnumerable<string> userIds, string conversationId)
    {
        lock (_lock)
        {
            if (!_watchers.TryGetValue(session, out var watcher))
            {
                return;
            }

            foreach (var userId in userIds)
            {
                if (watcher.Users.Remove(userId))
                {
                    RemoveLocked(watcher, userId);
                }
            }

            if (_conversations.TryGetValue(conversationId, out var conversation))
            {
                RemoveLocked(watcher, conversation);
            }

            DropIfIdleLocked(watcher);
        }
    }

    /// <summary>The connection watches nothing any more.</summary>
    public void Remove(Session session)
    {
        lock (_lock)
        {
            if (!_watchers.TryGetValue(session, out var watcher))
            {
                return;
            }

            foreach (var userId in watcher.Users)
            {
                RemoveLocked(watcher, userId);
            }

            watcher.Users.Clear();
            foreach (var conversation in watcher.Conversations.Keys.ToArray())
            {
                RemoveLocked(watcher, conversation);
            }

            watcher.Pending.Clear();
            DropIfIdleLocked(watcher);
        }
    }

    /// <summary>Who watches or is watched in the conversation, if what is known of it is of another version; null = nothing is to be done.</summary>
    public string[]? Concerned(string conversationId, long? version)
    {
        lock (_lock)
        {
            return _conversations.TryGetValue(conversationId, out var conversation) && conversation.Version != version
                ? [.. conversation.Watchers.Select(watcher => watcher.Session.UserId).Union(conversation.Users, StringComparer.Ordinal)]
                : null;
        }
    }

    /// <summary>
    /// The conversation as it is now, null = gone: who is no member any more watches and is watched no more, and new members are watched.
    /// </summary>
    /// <param name="conversationId">The conversation.</param>
    /// <param name="info">As it is now.</param>
    /// <param name="members">Of <see cref="Concerned"/>, those who are members.</param>
    public void Refresh(string conversationId, ConversationInfo? info, HashSet<string> members)
    {
        lock (_lock)
        {
            if (!_conversations.TryGetValue(conversationId, out var conversation))
            {
                return;
            }

            conversation.Version = info?.Version ?? 0;
            foreach (var watcher in conversation.Watchers.Where(watcher => !members.Contains(watcher.Session.UserId)).ToArray())
            {
                RemoveLocked(watcher, conversation);
                DropIfIdleLocked(watcher);
            }

            if (info is null || conversation.Watchers.Count == 0)
            {
                return;
            }

            foreach (var userId in conversation.Users.Where(userId => !members.Contains(userId)).ToArray())
            {
                conversation.Users.Remove(userId);
                ForgetLocked(userId, conversation);
            }

            conversation.IsPartial |= !info.HasMembers || info.MemberCount > _options.MaxConversationMembers;
            if (!conversation.IsPartial)
            {
                WatchLocked(conversation, info.Members);
            }
        }
    }

    private void AddLocked(Watcher watcher, ConversationInfo info, IReadOnlyList<string> userIds, bool isPartial, bool seesAll)
    {
        if (!_conversations.TryGetValue(info.ConversationId, out var conversation))
        {
            _conversations.Add(info.ConversationId, conversation = new WatchedConversation(info.ConversationId, info.Version));
        }

        // What was looked at may be older than what is known here meanwhile: then it is looked at again.
        conversation.Version = Math.Min(conversation.Version, info.Version);
        conversation.IsPartial |= isPartial;
        conversation.Watchers.Add(watcher);
        watcher.Conversations[conversation] = seesAll ? null : userIds.ToHashSet(StringComparer.Ordinal);
        if (conversation.IsPartial && conversation.Users.Count + userIds.Count > _options.MaxConversationMembers)
        {
            // Who has gone offline makes room for who is online.
            foreach (var userId in conversation.Users.Where(userId => _users[userId].State is { IsOnline: false }).ToArray())
            {
                conversation.Users.Remove(userId);
                ForgetLocked(userId, conversation);
            }
        }

        WatchLocked(conversation, userIds);
    }

    private void WatchLocked(WatchedConversation conversation, IEnumerable<string> userIds)
    {
        foreach (var userId in userIds)
        {
            if (conversation.Users.Count < _options.MaxConversationMembers && conversation.Users.Add(userId))
            {
                UserLocked(userId).Conversations.Add(conversation);
            }
        }
    }

    private WatchedUser UserLocked(string userId)
    {
        if (!_users.TryGetValue(userId, out var user))
        {
            _users.Add(userId, user = new WatchedUser());
            _due[userId] = new Due(time.GetTimestamp(), false, 0);
        }

        return user;
    }

    private void RemoveLocked(Watcher watcher, string userId)
    {
        if (_users.TryGetValue(userId, out var user))
        {
            user.Watchers.Remove(watcher);
            DropIfIdleLocked(userId, user);
        }
    }

    private void RemoveLocked(Watcher watcher, WatchedConversation conversation)
    {
        watcher.Conversations.Remove(conversation);
        if (conversation.Watchers.Remove(watcher) && conversation.Watchers.Count == 0)
        {
            _conversations.Remove(conversation.Id);
            foreach (var userId in conversation.Users)
            {
                ForgetLocked(userId, conversation);
            }
        }
    }

    private void ForgetLocked(string userId, WatchedConversation conversation)
    {
        if (_users.TryGetValue(userId, out var user))
        {
            user.Conversations.Remove(conversation);
            DropIfIdleLocked(userId, user);
        }
    }

    private void DropIfIdleLocked(string userId, WatchedUser user)
    {
        if (user.Watchers.Count == 0 && user.Conversations.Count == 0)
        {
            _users.Remove(userId);
            _due.Remove(userId);
        }
    }

    private void DropIfIdleLocked(Watcher watcher)
    {
        if (watcher.Users.Count == 0 && watcher.Conversations.Count == 0 && _watchers.Remove(watcher.Session))
        {
            _waiting.Remove(watcher);
            metrics.Watching(-1);
        }
    }

    private int CountOf(Watcher? watcher, ConversationInfo? info) =>
        info is not null && watcher is not null && _conversations.TryGetValue(info.ConversationId, out var known) && watcher.Conversations.TryGetValue(known, out var visible)
            ? visible?.Count ?? known.Users.Count
            : 0;
}
