using Google.Protobuf;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;

namespace Im.IntegrationTests.Support;

/// <summary>What another node appends to the store.</summary>
internal static class StoreItems
{
    private static long _batches;

    public static AppendItem Message(string conversationId, string senderId, long version, string text, params string[] audience) => new()
    {
        ConversationId = conversationId,
        SenderId = senderId,
        ClientMessageId = Guid.NewGuid().ToString("N"),
        Hash = default,
        TimeMs = 1,
        ExpectedVersion = version,
        Kind = EntryKind.Message,
        Body = new Entry { Content = new Content { ContentType = "text", Text = text } }.ToByteArray(),
        CountsAsUnread = true,
        Audience = new Audience([.. audience.Order(StringComparer.Ordinal)]),
    };

    public static AppendBatch Batch(AppendItem item)
    {
        TimelineKey[] timelines = [TimelineKey.Conversation(item.ConversationId), .. item.Audience.UserIds.Select(TimelineKey.Inbox)];
        return new AppendBatch
        {
            NodeName = "other",
            BatchNumber = Interlocked.Increment(ref _batches),
            Items = [item],
            Timelines = timelines,
            ProposedHeads = timelines.Select(_ => ISequenceAllocator.Unknown).ToArray(),
        };
    }
}
