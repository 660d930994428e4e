using System.Collections.Immutable;
using System.Text;
using Im.Model;
using Im.Storage;
using Im.Timelines;

namespace Im.Testing.Specification;

/// <summary>Makes items and batches as the committer would.</summary>
internal static class TestItems
{
    private static long _ids;
    private static long _batches;

    public static string NewId() => "id" + Interlocked.Increment(ref _ids);

    public static Audience To(params string[] userIds) => new([.. userIds.Order(StringComparer.Ordinal)]);

    public static AppendItem Message(
        string conversationId,
        string senderId,
        Audience audience,
        long version = 0,
        string? id = null,
        string body = "text",
        bool counts = true,
        long timeMs = 1_000,
        string deviceId = "phone") => new()
        {
            ConversationId = conversationId,
            SenderId = senderId,
            SenderDeviceId = deviceId,
            ClientMessageId = id ?? NewId(),
            Hash = ContentHash.Of(Encoding.UTF8.GetBytes(conversationId + "\n" + body)),
            TimeMs = timeMs,
            ExpectedVersion = version,
            Kind = EntryKind.Message,
            Body = Encoding.UTF8.GetBytes(body),
            CountsAsUnread = counts,
            Audience = audience,
        };

    public static AppendItem Change(
        string conversationId, string senderId, Audience audience, long version, ConversationChange change, string? id = null) => new()
        {
            ConversationId = conversationId,
            SenderId = senderId,
            ClientMessageId = id ?? NewId(),
            Hash = ContentHash.Of(Encoding.UTF8.GetBytes(conversationId + "\n" + change)),
            TimeMs = 2_000,
            ExpectedVersion = version,
            Kind = change switch
            {
                ConversationChange.CreateGroup => EntryKind.GroupCreated,
                ConversationChange.ChangeMembers => EntryKind.MembersChanged,
                ConversationChange.SetGroupInfo => EntryKind.GroupChanged,
                ConversationChange.SwitchFanout => EntryKind.FanoutChanged,
                ConversationChange.DissolveGroup => EntryKind.GroupDissolved,
                _ => EntryKind.ReadMarkMoved,
            },
            Body = Encoding.UTF8.GetBytes(change.GetType().Name),
            Audience = audience,
            Change = change,
        };

    public static AppendItem Create(string conversationId, string fanout, params string[] members) => Change(
        conversationId,
        members.Length > 0 ? members[0] : "host",
        To(members),
        0,
        new ConversationChange.CreateGroup(new GroupInfo(conversationId), fanout, false, [.. members]));

    public static AppendItem Mark(string userId, string conversationId, long seq, string? id = null) => Change(
        ConversationId.Own(userId),
        userId,
        To(userId),
        0,
        new ConversationChange.MoveReadMark(conversationId, new ConversationSeq(seq)),
        id);

    public static AppendBatch Batch(params AppendItem[] items) => Batch(items, null);

    /// <summary>A batch that expects the heads that <paramref name="headOf"/> tells; without it whatever is there.</summary>
    public static AppendBatch Batch(IReadOnlyList<AppendItem> items, Func<TimelineKey, long>? headOf, string node = "test")
    {
        TimelineKey[] timelines =
        [
            .. items.Select(item => TimelineKey.Conversation(item.ConversationId)).Distinct(),
            .. items.SelectMany(item => item.Audience.UserIds).Distinct(StringComparer.Ordinal).Select(TimelineKey.Inbox),
        ];
        return new AppendBatch
        {
            NodeName = node,
            BatchNumber = Interlocked.Increment(ref _batches),
            Items = items,
            Timelines = timelines,
            ProposedHeads = timelines.Select(headOf ?? (_ => ISequenceAllocator.Unknown)).ToArray(),
        };
    }
}
