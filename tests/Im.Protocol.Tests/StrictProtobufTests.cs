using System.Buffers;
using Google.Protobuf;

namespace Im.Protocol.Tests;

public sealed class StrictProtobufTests
{
    [Theory]
    [InlineData("08", 1)] // a tag and nothing more
    [InlineData("0880", 1)] // a varint that does not end
    [InlineData("088100", 1)] // 1 in two bytes
    [InlineData("088000", 1)]
    [InlineData("0880808080808080808001", 1, false)] // 2^63: ten bytes are a varint, and too large for the field
    [InlineData("0880808080808080808002", 1)] // more than 64 bits
    [InlineData("088080808080808080808001", 1)] // eleven bytes
    [InlineData("880001", 0)] // a tag in two bytes
    [InlineData("0001", 0)] // field number 0
    [InlineData("0200", 0)]
    [InlineData("0B0C", 0)] // a group, of a known and of an unknown field
    [InlineData("A306A406", 0)]
    [InlineData("0C", 0)] // the end of a group
    [InlineData("0E", 0)] // wire types 6 and 7
    [InlineData("0F", 0)]
    [InlineData("8280808010", 0)] // a tag of more than 32 bits
    [InlineData("1205616263", 1)] // a length past the end
    [InlineData("12FFFFFFFF0F", 1)]
    [InlineData("12FFFFFFFFFFFFFFFFFF01", 1)]
    [InlineData("128300616263", 1)] // a length in two bytes
    [InlineData("6A030A0561", 3)] // inside a send: a length past the send's end
    [InlineData("6A040A026131", 0, false, true)]
    [InlineData("980680", 2)] // unknown fields are looked through too
    [InlineData("99060102030405", 2)]
    [InlineData("9D06010203", 2)]
    [InlineData("9A0605", 2)]
    public void MalformedBytesAreRefusedAndTheProblemSaysWhere(string hex, int position, bool malformed = true, bool valid = false)
    {
        var bytes = new ReadOnlySequence<byte>(Convert.FromHexString(hex));
        Assert.Equal(valid, PacketCodec.TryReadClientPacket(bytes, ImCodec.Protobuf, out var packet, out var problem));
        Assert.Equal(valid, packet is not null);
        if (!valid)
        {
            Assert.EndsWith(malformed ? $"malformed protobuf at byte {position}" : "must be an unsigned integer of 32 bits", problem);
        }
    }

    [Fact]
    public void ALengthPastTheEndReservesNoMemory()
    {
        var bytes = Convert.FromHexString("6AFFFFFFFF07");
        Read(bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Read(bytes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2000);

        static void Read(byte[] bytes) => Assert.False(PacketCodec.TryReadClientPacket(new(bytes), ImCodec.Protobuf, out _, out _));
    }

    [Fact]
    public void UnknownFieldsAreKept()
    {
        var bytes = Convert.FromHexString("0807" + "980605" + "A20602FF00" + "A9060102030405060708" + "B50601020304");
        Assert.True(PacketCodec.TryReadClientPacket(new(bytes), ImCodec.Protobuf, out var packet, out var problem), problem);
        Assert.Equal(bytes, packet.ToByteArray());
        Assert.Equal("{\"requestId\":7}"u8, PacketCodec.Write(packet, ImCodec.Json));
    }

    [Fact]
    public void OfAFieldThatIsGivenTwiceTheLastCountsAsProtobufSays()
    {
        var bytes = Convert.FromHexString("0801" + "0802" + "6200" + "7200");
        Assert.True(PacketCodec.TryReadClientPacket(new(bytes), ImCodec.Protobuf, out var packet, out var problem), problem);
        Assert.Equal(2u, packet.RequestId);
        Assert.Equal(ClientPacket.PacketOneofCase.Sync, packet.PacketCase);
    }

    [Fact]
    public void AnEntryWhoseFieldsStandInAnyOrderBecomesTheSameJson()
    {
        var content = new Content { ContentType = "text", Mentions = { "a", "b" } }.ToByteArray();
        var first = new Entry { Content = new Content { Text = "hello", Mentions = { "c" } } }.ToByteArray();
        byte[][] orders =
        [
            // Content in two places (merged), the conversation after it, an unknown field between.
            Fields.Concat(Tag(10), Fields.Delimited(content), [0x98, 6, 1], first, Tag(1), Fields.Delimited("dx"u8.ToArray())),
            // Another member of the oneof first, and a number that is given twice.
            Fields.Concat([16, 1], Tag(12), [0], Tag(10), Fields.Delimited(content), [16, 2], first),
            // Each field once, not in order.
            Fields.Concat([56, 1], [16, 1]),
            // In order, and two members of the oneof.
            Fields.Concat(first, Tag(12), [0]),
            // A number that is given twice, in order.
            [16, 1, 16, 2],
            // A repeated field in two places.
            Fields.Concat(Tag(10), Fields.Delimited(Fields.Concat(content, new Content { Text = "t", Mentions = { "z" } }.ToByteArray()))),
        ];
        foreach (var bytes in orders)
        {
            var ours = new ArrayBufferWriter<byte>();
            PacketCodec.WriteEntryJson(bytes, ours);
            var merged = new ArrayBufferWriter<byte>();
            PacketCodec.WriteEntryJson(Entry.Parser.ParseFrom(bytes).ToByteArray(), merged);
            Assert.Equal(merged.WrittenSpan, ours.WrittenSpan);
            var read = JsonParser.Default.Parse<Entry>(System.Text.Encoding.UTF8.GetString(ours.WrittenSpan));
            Assert.Equal(Entry.Parser.WithDiscardUnknownFields(true).ParseFrom(bytes), read);
        }

        static byte[] Tag(int field) => Fields.Varint(WireFormat.MakeTag(field, WireFormat.WireType.LengthDelimited));
    }

    [Theory]
    [InlineData("0A0161FF")]
    [InlineData("0A01FF")]
    [InlineData("52020801")]
    [InlineData("0A05")]
    public void BytesThatAreNoEntryWriteNothing(string hex)
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.Throws<ArgumentException>(() => PacketCodec.WriteEntryJson(Convert.FromHexString(hex), output));
        Assert.Equal(0, output.WrittenCount);
    }
}
