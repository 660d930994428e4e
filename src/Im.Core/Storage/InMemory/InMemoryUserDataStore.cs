using Im.Model;
using Im.Timelines;

namespace Im.Storage.InMemory;

/// <summary>What exporting and erasing a user needs, in memory.</summary>
internal sealed class InMemoryUserDataStore : IUserDataStore
{
    private readonly InMemoryState _state;

    internal InMemoryUserDataStore(InMemoryState state) => _state = state;

    public ValueTask<IReadOnlyList<UserStays>> ListStaysAsync(
        string userId, string? afterConversationId, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<UserStays>>(cancellationToken);
        }

        lock (_state.Gate)
        {
            IEnumerable<MemberState> members = _state.Users.TryGetValue(userId, out var user) ? user.All : [];
            if (_state.Conversations.TryGetValue(ConversationId.Own(userId), out var own) && own.Members.TryGetValue(userId, out var self))
            {
                members = members.Append(self);
            }

            UserStays[] stays =
            [
                .. members
                    .Where(member => string.CompareOrdinal(member.Conversation.Id, afterConversationId) > 0)
                    .OrderBy(member => member.Conversation.Id, StringComparer.Ordinal)
                    .Take(limit)
                    .Select(member => new UserStays(member.Conversation.Id, member.Conversation.HeadRow, member.CopyStays())),
            ];
            return new ValueTask<IReadOnlyList<UserStays>>(stays);
        }
    }

    public ValueTask<int> EraseBodiesAsync(
        string conversationId, ConversationSeq first, ConversationSeq last, string senderId, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        var erased = 0;
        lock (_state.Gate)
        {
            if (_state.Conversations.TryGetValue(conversationId, out var conversation))
            {
                var end = Math.Min(last.Value, conversation.Head);
                for (var seq = Math.Max(first.Value, conversation.Floor); seq <= end; seq++)
                {
                    var entry = conversation.Get(seq);
                    if (entry is { Kind: EntryKind.Message, IsGone: false } && string.Equals(entry.SenderId, senderId, StringComparison.Ordinal))
                    {
                        conversation.DropBody(seq);
                        erased++;
                    }
                }
            }
        }

        return new ValueTask<int>(erased);
    }

    public ValueTask ForgetDevicesAsync(string userId, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        lock (_state.Gate)
        {
            if (_state.Users.TryGetValue(userId, out var user))
            {
                user.Devices.Clear();
                user.Acks.Clear();
            }
        }

        return ValueTask.CompletedTask;
    }
}
