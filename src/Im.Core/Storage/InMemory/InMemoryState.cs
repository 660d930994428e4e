using System.Security.Cryptography;
using Im.Timelines;

namespace Im.Storage.InMemory;

/// <summary>Everything that the in-memory stores share. Lost when the process ends; the next one has another generation.</summary>
/// <remarks>
/// <see cref="Gate"/> protects all of it, also what the objects inside hold. It is never held across an await, and everything that leaves
/// it is immutable, so whoever reads sees whole commits only. "Durable" means here: as long as the process lives.
/// </remarks>
internal sealed class InMemoryState
{
    internal InMemoryState(TimeProvider? timeProvider = null, InMemorySettings? settings = null)
    {
        Sent = new SentLog(timeProvider ?? TimeProvider.System, settings ?? new InMemorySettings());
    }

    public Lock Gate { get; } = new();

    public string Generation { get; } = RandomNumberGenerator.GetHexString(32, lowercase: true);

    public Dictionary<string, ConversationState> Conversations { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, UserState> Users { get; } = new(StringComparer.Ordinal);

    /// <summary>The keys of <see cref="Conversations"/>, in the order in which retention passes over them.</summary>
    public SortedSet<string> ConversationIds { get; } = new(StringComparer.Ordinal);

    /// <summary>The keys of <see cref="Users"/>, in the order in which retention passes over them.</summary>
    public SortedSet<string> UserIds { get; } = new(StringComparer.Ordinal);

    public SentLog Sent { get; }

    /// <summary>Sends of the host that wait for their commit.</summary>
    public SendQueueTable SendQueue { get; } = new();

    /// <summary>How many batches were appended; each has its number in the chunks that it made.</summary>
    public long LastCommit { get; set; }

    /// <summary>By node name, the number of its last batch.</summary>
    public Dictionary<string, long> LastBatches { get; } = new(StringComparer.Ordinal);

    public UserState GetOrAddUser(string userId)
    {
        if (!Users.TryGetValue(userId, out var user))
        {
            Users.Add(userId, user = new UserState());
            UserIds.Add(userId);
        }

        return user;
    }

    public TimelineHead HeadOf(TimelineKey timeline)
    {
        if (timeline.Kind == TimelineKind.Inbox)
        {
            return Users.TryGetValue(timeline.Id, out var user)
                ? new TimelineHead(timeline, user.Head, user.Floor, 0)
                : TimelineHead.Empty(timeline);
        }

        return Conversations.TryGetValue(timeline.Id, out var conversation)
            ? conversation.HeadRow
            : TimelineHead.Empty(timeline);
    }

    /// <summary>For tests: drops the body of an entry, as erasing or a recall does.</summary>
    internal void DropBody(string conversationId, ConversationSeq seq)
    {
        lock (Gate)
        {
            Conversations[conversationId].DropBody(seq.Value);
        }
    }
}
