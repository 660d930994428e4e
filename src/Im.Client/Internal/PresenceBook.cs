using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>Whose presence the application subscribes to, over reconnects.</summary>
/// <remarks>The read loop adds, the application removes; the lock protects all of it and is never held over I/O.</remarks>
internal sealed class PresenceBook
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _users = new(StringComparer.Ordinal);
    private readonly HashSet<string> _conversations = new(StringComparer.Ordinal);

    /// <summary>The server has taken a subscription of the application's.</summary>
    public void Subscribed(SubscribePresence request, PresenceSubscribed answer)
    {
        lock (_gate)
        {
            if (request.ConversationId.Length > 0)
            {
                _conversations.Add(request.ConversationId);
            }
            else
            {
                _users.UnionWith(answer.Users.Select(user => user.UserId));
            }
        }
    }

    /// <summary>Ends subscriptions; all, where nothing is named.</summary>
    public void Remove(IReadOnlyCollection<string> userIds, string conversationId)
    {
        lock (_gate)
        {
            if (userIds.Count == 0 && conversationId.Length == 0)
            {
                _users.Clear();
                _conversations.Clear();
                return;
            }

            _users.ExceptWith(userIds);
            _conversations.Remove(conversationId);
        }
    }

    /// <summary>The server refuses what it had taken. False: it was not subscribed to any more.</summary>
    public bool Refused(SubscribePresence request)
    {
        lock (_gate)
        {
            if (request.ConversationId.Length > 0)
            {
                return _conversations.Remove(request.ConversationId);
            }

            var had = _users.Overlaps(request.UserIds);
            _users.ExceptWith(request.UserIds);
            return had;
        }
    }

    /// <summary>The requests that subscribe to everything again.</summary>
    public List<SubscribePresence> Resubscriptions()
    {
        lock (_gate)
        {
            var requests = _conversations.Select(id => new SubscribePresence { ConversationId = id }).ToList();
            if (_users.Count > 0)
            {
                requests.Insert(0, new SubscribePresence { UserIds = { _users } });
            }

            return requests;
        }
    }

    /// <summary>What is left of a request, if anything.</summary>
    public SubscribePresence? Resubscription(SubscribePresence request)
    {
        lock (_gate)
        {
            return request.ConversationId.Length > 0
                ? _conversations.Contains(request.ConversationId) ? request : null
                : _users.Count > 0 ? new SubscribePresence { UserIds = { _users } } : null;
        }
    }
}
