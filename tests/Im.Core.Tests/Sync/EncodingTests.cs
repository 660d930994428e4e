using Google.Protobuf;
using Im.Connections;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Sync;
using Im.Timelines;

namespace Im.Core.Tests.Sync;

/// <summary>The hand-written push is the same packet that the generated classes would write.</summary>
public sealed class EncodingTests
{
    [Theory]
    [InlineData(ImCodec.Protobuf)]
    [InlineData(ImCodec.Json)]
    public void APushIsTheSamePacketAsTheGeneratedOne(ImCodec codec)
    {
        var entries = Enumerable.Range(1, 5).Select(i => Entry("d:5:alice:bob", i)).ToArray();
        var others = Enumerable.Range(8, 3).Select(i => Entry("g:\"ü<群>", i)).ToArray();
        var payload = new PushPayload(
            new RunSlice(EncodedRun.Create(entries), 1, 3), new RunSlice(EncodedRun.Create(others), 0, 3));

        foreach (var timeline in new[] { TimelineKey.Inbox("bob"), TimelineKey.Conversation("g:\"ü<群>") })
        {
            var writer = new BufferWriter();
            PushWriter.Write(writer, codec, timeline, 1234567890123, payload);
            Assert.True(PacketCodec.TryReadServerPacket(new System.Buffers.ReadOnlySequence<byte>(writer.Packet), codec, out var packet, out var problem), problem);

            var expected = new Push { Entries = { entries[1..4].Concat(others).Select(EntryEncoder.ToEntry) } };
            if (timeline.Kind == TimelineKind.Inbox)
            {
                expected.FirstInboxSeq = 1234567890123;
            }
            else
            {
                expected.ConversationId = timeline.Id;
                expected.FirstConversationSeq = 1234567890123;
            }

            Assert.Equal(new ServerPacket { Push = expected }, packet);
        }
    }

    [Fact]
    public void AStoredEntryIsTheSameOnTheWire()
    {
        var entry = EntryEncoder.ToEntry(Entry("g:1", 7) with { Ordinal = 3, SenderDeviceId = "phone" });
        Assert.Equal(("g:1", 7L, 3L, "alice", "phone", "m7", 1_700_000_000_007L, "text 7"), (
            entry.ConversationId, entry.ConversationSeq, entry.Ordinal, entry.SenderId, entry.SenderDeviceId, entry.ClientMessageId, entry.TimeMs, entry.Content.Text));
    }

    [Fact]
    public void AGoneEntryKeepsItsPlaceAndSaysSo()
    {
        var entry = EntryEncoder.ToEntry(Entry("g:1", 7) with { IsGone = true, Body = default });
        Assert.True(entry.Gone);
        Assert.Equal(Protocol.Entry.BodyOneofCase.None, entry.BodyCase);
        Assert.Equal(7, entry.ConversationSeq);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(127UL)]
    [InlineData(128UL)]
    [InlineData(16383UL)]
    [InlineData(16384UL)]
    [InlineData(ulong.MaxValue)]
    public void AVarintIsAsLongAsMeasured(ulong value)
    {
        Span<byte> bytes = stackalloc byte[10];
        var written = Varint.Write(bytes, value);
        Assert.Equal(written, Varint.Size(value));
        Assert.Equal(value, new CodedInputStream(bytes[..written].ToArray()).ReadUInt64());
    }

    private static StoredEntry Entry(string conversationId, int seq) => new()
    {
        ConversationId = conversationId,
        Seq = new ConversationSeq(seq),
        Ordinal = seq,
        SenderId = "alice",
        ClientMessageId = $"m{seq}",
        TimeMs = 1_700_000_000_000 + seq,
        Kind = EntryKind.Message,
        Body = new Entry { Content = new Content { ContentType = "text", Text = $"text {seq}" } }.ToByteArray(),
    };

    private sealed class BufferWriter : IPacketWriter
    {
        private readonly MemoryStream _bytes = new();
        private int _announced;

        public bool IsFull => false;

        public byte[] Packet => _bytes.Length == _announced ? _bytes.ToArray() : throw new InvalidOperationException($"{_announced} bytes were announced, {_bytes.Length} written.");

        public void BeginPacket(int packetBytes) => _announced = packetBytes;

        public void Write(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

        public void WriteShared(ReadOnlyMemory<byte> bytes) => _bytes.Write(bytes.Span);

        public void EndPacket()
        {
        }
    }
}
