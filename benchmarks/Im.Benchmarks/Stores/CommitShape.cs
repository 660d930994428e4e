using System.Globalization;
using System.Text;
using Im.Model;
using Im.Storage;
using Im.Timelines;

namespace Im.Benchmarks.Stores;

/// <summary>A commit of some messages to one group of some members, by turns from each of them; 100-byte bodies, 16-byte ids.</summary>
internal sealed class CommitShape
{
    private static readonly byte[] Body = Encoding.UTF8.GetBytes(new string('x', 100));

    private readonly int _messages;
    private readonly string _conversationId;
    private readonly Audience _audience;
    private readonly TimelineKey[] _timelines;
    private readonly long[] _heads;
    private long _batch;
    private long _id;

    public CommitShape(int messages, int members)
    {
        _messages = messages;
        _conversationId = $"g:{members}";
        UserIds = [.. Enumerable.Range(0, members).Select(i => $"user{i:d6}")];
        _audience = new Audience([.. UserIds]);
        _timelines = [TimelineKey.Conversation(_conversationId), .. UserIds.Select(TimelineKey.Inbox)];
        _heads = new long[_timelines.Length];
        Array.Fill(_heads, ISequenceAllocator.Unknown);
    }

    public string ConversationId => _conversationId;

    public string[] UserIds { get; }

    public static byte[] MessageBody => Body;

    /// <summary>The batch that creates the group.</summary>
    public AppendBatch Create() => Batch(
    [
        new AppendItem
        {
            ConversationId = _conversationId,
            SenderId = UserIds[0],
            ClientMessageId = NextId(),
            Hash = ContentHash.Of(Body),
            TimeMs = 1,
            ExpectedVersion = 0,
            Kind = EntryKind.GroupCreated,
            Body = Body,
            Audience = _audience,
            Change = new ConversationChange.CreateGroup(new GroupInfo("Benchmark"), "write", true, [.. UserIds]),
        },
    ]);

    /// <summary>The next batch, with the heads as the last result told them.</summary>
    public AppendBatch Next()
    {
        var items = new AppendItem[_messages];
        for (var i = 0; i < items.Length; i++)
        {
            items[i] = new AppendItem
            {
                ConversationId = _conversationId,
                SenderId = UserIds[i % UserIds.Length],
                SenderDeviceId = "phone",
                ClientMessageId = NextId(),
                Hash = ContentHash.Of(Body),
                TimeMs = 1_700_000_000_000 + _batch,
                ExpectedVersion = 1,
                Kind = EntryKind.Message,
                Body = Body,
                CountsAsUnread = true,
                Audience = _audience,
            };
        }

        return Batch(items);
    }

    public void Observe(AppendResult result)
    {
        if (!result.Committed || result.Items.Any(item => item.Outcome != AppendOutcome.Stored))
        {
            throw new InvalidOperationException("The batch was not stored.");
        }

        result.Heads.CopyTo(_heads);
    }

    public string NextId() => (_id++).ToString("x16", CultureInfo.InvariantCulture);

    private AppendBatch Batch(AppendItem[] items) => new()
    {
        NodeName = "bench",
        BatchNumber = ++_batch,
        Items = items,
        Timelines = _timelines,
        ProposedHeads = _heads,
    };
}
