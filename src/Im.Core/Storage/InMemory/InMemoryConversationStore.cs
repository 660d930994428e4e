using Im.Timelines;

namespace Im.Storage.InMemory;

/// <summary>Conversations as users see them, in memory.</summary>
internal sealed class InMemoryConversationStore : IConversationStore
{
    private readonly InMemoryState _state;

    internal InMemoryConversationStore(InMemoryState state) => _state = state;

    public ValueTask<IReadOnlyList<Membership>> GetMembershipsAsync(
        string userId, string conversationId, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<Membership>>(cancellationToken);
        }

        lock (_state.Gate)
        {
            return new ValueTask<IReadOnlyList<Membership>>(Find(userId, conversationId)?.CopyStays() ?? []);
        }
    }

    public ValueTask<IReadOnlyList<ReadTimeline>> GetReadTimelinesAsync(
        string userId, IReadOnlyList<string> known, InboxSeq after, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(known);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<ReadTimeline>>(cancellationToken);
        }

        var parts = new List<ReadTimeline>();
        var asked = known.ToHashSet(StringComparer.Ordinal);
        lock (_state.Gate)
        {
            if (_state.Users.TryGetValue(userId, out var user))
            {
                foreach (var member in user.All)
                {
                    var conversation = member.Conversation;
                    var isAsked = asked.Contains(conversation.Id);
                    conversation.AddReadParts(parts, member, opening => isAsked || conversation.FindOpening(user, opening) > after.Value);
                }
            }
        }

        parts.Sort(static (x, y) =>
            string.CompareOrdinal(x.ConversationId, y.ConversationId) is var order and not 0 ? order : x.After.CompareTo(y.After));
        return new ValueTask<IReadOnlyList<ReadTimeline>>(parts);
    }

    public ValueTask<IReadOnlyList<UserConversation>> ListAsync(
        string userId, string? afterConversationId, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<UserConversation>>(cancellationToken);
        }

        lock (_state.Gate)
        {
            return new ValueTask<IReadOnlyList<UserConversation>>(List(userId, afterConversationId, limit));
        }
    }

    public ValueTask<IReadOnlyList<UserConversation?>> GetAsync(
        string userId, IReadOnlyList<string> conversationIds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(conversationIds);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<UserConversation?>>(cancellationToken);
        }

        var conversations = new UserConversation?[conversationIds.Count];
        lock (_state.Gate)
        {
            for (var i = 0; i < conversations.Length; i++)
            {
                if (Find(userId, conversationIds[i]) is { IsPresent: true } member)
                {
                    conversations[i] = See(member);
                }
            }
        }

        return new ValueTask<IReadOnlyList<UserConversation?>>(conversations);
    }

    public ValueTask<InboxSnapshot> GetSnapshotAsync(string userId, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<InboxSnapshot>(cancellationToken);
        }

        lock (_state.Gate)
        {
            var head = _state.Users.TryGetValue(userId, out var user) ? user.Head : 0;
            return new ValueTask<InboxSnapshot>(new InboxSnapshot(new InboxSeq(head), List(userId, null, int.MaxValue)));
        }
    }

    private static UserConversation See(MemberState member)
    {
        var conversation = member.Conversation;
        return new UserConversation(
            conversation.Id,
            conversation.HeadRow,
            conversation.Fanout,
            conversation.Info,
            conversation.MemberCount,
            conversation.Version,
            member.Joined,
            member.ReadSeq,
            member.Unread,
            conversation.Newest);
    }

    private UserConversation[] List(string userId, string? afterConversationId, int limit)
    {
        if (!_state.Users.TryGetValue(userId, out var user))
        {
            return [];
        }

        var first = afterConversationId is null ? 0 : user.IndexOfPresent(afterConversationId);
        first = first < 0 ? ~first : first + (afterConversationId is null ? 0 : 1);
        var conversations = new UserConversation[Math.Min(limit, user.Present.Count - first)];
        for (var i = 0; i < conversations.Length; i++)
        {
            conversations[i] = See(user.Present[first + i]);
        }

        return conversations;
    }

    private MemberState? Find(string userId, string conversationId) =>
        _state.Conversations.TryGetValue(conversationId, out var conversation)
            ? conversation.Members.GetValueOrDefault(userId)
            : null;
}
