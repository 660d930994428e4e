using System.Buffers;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Im.Protocol.Tests;

/// <summary>The same bad content, put into every field of every packet, gets the same answer in the same words in both codecs.</summary>
public sealed class SameAnswerTests
{
    private const WireFormat.WireType Varint = WireFormat.WireType.Varint;
    private const WireFormat.WireType LengthDelimited = WireFormat.WireType.LengthDelimited;

    private static readonly string[] InvalidUtf8 =
    [
        "FF", "80", "61C3", "E4BD", "F09F98", "C080", "E08080", "EDA080", "EDB080", "EDA080EDB080", "F4908080", "F8888080", "FE", "C328",
    ];

    [Fact]
    public void InvalidUtf8InAnyStringFieldIsRefused()
    {
        foreach (var (path, field) in All(FieldType.String))
        {
            foreach (var hex in InvalidUtf8)
            {
                var text = Convert.FromHexString(hex);
                var inJson = Fields.Concat("\""u8.ToArray(), text, "\""u8.ToArray());
                AssertRefused(path, LengthDelimited, Fields.Delimited(text), inJson, "is not valid UTF-8");
            }
        }
    }

    [Fact]
    public void AnyValidUtf8InAnyStringFieldIsRead()
    {
        foreach (var (path, _) in All(FieldType.String))
        {
            foreach (var text in new[] { "", "\0", "é", "你好", "😀", "\uffff", "\U0010FFFF", "\ud7ff\ue000" })
            {
                var utf8 = Encoding.UTF8.GetBytes(text);
                var inJson = text == "\0" ? "\"\\u0000\""u8.ToArray() : Fields.Concat("\""u8.ToArray(), utf8, "\""u8.ToArray());
                AssertEqual(path, LengthDelimited, Fields.Delimited(utf8), inJson);
            }
        }
    }

    [Fact]
    public void ANumberInAFieldOfTextBytesOrObjectsIsRefused()
    {
        foreach (var (path, field) in All(FieldType.String, FieldType.Bytes, FieldType.Message))
        {
            var expected = field.FieldType switch
            {
                FieldType.String => "must be a string",
                FieldType.Bytes => "must be bytes",
                _ => "must be an object",
            };
            AssertRefused(path, Varint, [1], "1"u8.ToArray(), expected);
            AssertRefused(path, WireFormat.WireType.Fixed64, new byte[8], "true"u8.ToArray(), expected);
        }
    }

    [Fact]
    public void TextInAFieldOfNumbersIsRefused()
    {
        foreach (var (path, field) in All(FieldType.Int32, FieldType.UInt32, FieldType.Int64, FieldType.Bool))
        {
            AssertRefused(path, LengthDelimited, Fields.Delimited("one"u8.ToArray()), "\"one\""u8.ToArray(), Expected(field));
            AssertRefused(path, WireFormat.WireType.Fixed32, new byte[4], "[]"u8.ToArray(), Expected(field));
        }

        foreach (var (path, field) in All(FieldType.Enum))
        {
            AssertRefused(path, LengthDelimited, Fields.Delimited([]), "{}"u8.ToArray(), Expected(field));
        }
    }

    [Theory]
    [InlineData(FieldType.Int32, int.MaxValue + 1L)]
    [InlineData(FieldType.Int32, int.MinValue - 1L)]
    [InlineData(FieldType.Int32, uint.MaxValue)]
    [InlineData(FieldType.Int32, long.MinValue)]
    [InlineData(FieldType.Enum, int.MaxValue + 1L)]
    [InlineData(FieldType.Enum, int.MinValue - 1L)]
    [InlineData(FieldType.UInt32, -1L)]
    [InlineData(FieldType.UInt32, uint.MaxValue + 1L)]
    [InlineData(FieldType.UInt32, long.MaxValue)]
    [InlineData(FieldType.Bool, 2L)]
    [InlineData(FieldType.Bool, -1L)]
    public void ANumberOutOfItsFieldsRangeIsRefused(FieldType type, long value)
    {
        foreach (var (path, field) in All(type))
        {
            AssertRefused(path, Varint, Fields.Varint((ulong)value), Encoding.ASCII.GetBytes($"{value}"), Expected(field));
        }
    }

    [Theory]
    [InlineData(FieldType.Int32, int.MaxValue)]
    [InlineData(FieldType.Int32, int.MinValue)]
    [InlineData(FieldType.Int32, -1L)]
    [InlineData(FieldType.Enum, 77L)]
    [InlineData(FieldType.Enum, -1L)]
    [InlineData(FieldType.UInt32, uint.MaxValue)]
    [InlineData(FieldType.Int64, long.MaxValue)]
    [InlineData(FieldType.Int64, long.MinValue)]
    [InlineData(FieldType.Int64, -1L)]
    public void ANumberAtTheEdgeOfItsFieldsRangeIsRead(FieldType type, long value)
    {
        foreach (var (path, _) in All(type))
        {
            var inProtobuf = Fields.Varint((ulong)value);
            AssertEqual(path, Varint, inProtobuf, Encoding.ASCII.GetBytes($"{value}"));
            if (type != FieldType.Enum)
            {
                AssertEqual(path, Varint, inProtobuf, Encoding.ASCII.GetBytes($"\"{value}\""));
            }
        }
    }

    [Fact]
    public void AnUnknownKindOfPacketIsReadAsAPacketOfNoKind()
    {
        // Field 99 of a message; a JSON member that nobody knows, with everything JSON has inside.
        var protobuf = Fields.Concat([8, 7], Fields.Varint((99 << 3) | 2), Fields.Delimited([0xFF, 1, 2]));
        var json = "{\"requestId\":7,\"teleport\":{\"to\":[1,2.5e3,null,true,\"\\n\",{}]}}"u8.ToArray();
        foreach (var (bytes, codec) in new[] { (protobuf, ImCodec.Protobuf), (json, ImCodec.Json) })
        {
            Assert.True(PacketCodec.TryReadClientPacket(new(bytes), codec, out var client, out var problem), problem);
            Assert.Equal(ClientPacket.PacketOneofCase.None, client.PacketCase);
            Assert.Equal(7u, client.RequestId);
            Assert.True(PacketCodec.TryReadServerPacket(new(json), ImCodec.Json, out var server, out problem), problem);
            Assert.Equal(ServerPacket.PacketOneofCase.None, server.PacketCase);
        }
    }

    [Fact]
    public void AnEmptyPacketIsReadAsAPacketOfNoKind()
    {
        foreach (var (bytes, codec) in new[] { (Array.Empty<byte>(), ImCodec.Protobuf), ("{}"u8.ToArray(), ImCodec.Json) })
        {
            Assert.True(PacketCodec.TryReadClientPacket(new(bytes), codec, out var packet, out _));
            Assert.Equal(new ClientPacket(), packet);
        }
    }

    [Fact]
    public void APacketIsReadTheSameInPiecesAtEverySplit()
    {
        var content = new Content { Text = "\n" };
        var packet = new ClientPacket { RequestId = 3, Send = new Send { ClientMessageId = "id", UserId = "é你😀", Content = content } };
        foreach (var codec in Enum.GetValues<ImCodec>())
        {
            var bytes = PacketCodec.Write(packet, codec);
            for (var split = 0; split <= bytes.Length; split++)
            {
                Assert.True(PacketCodec.TryReadClientPacket(Segments.Cut(bytes, split), codec, out var read, out var problem), problem);
                Assert.Equal(packet, read);
            }
        }
    }

    private static IEnumerable<(FieldDescriptor[] Path, FieldDescriptor Field)> All(params FieldType[] types)
    {
        var all = Fields.Of(ClientPacket.Descriptor).Concat(Fields.Of(ServerPacket.Descriptor))
            .Where(each => types.Contains(each.Field.FieldType)).ToArray();
        Assert.NotEmpty(all);
        return all;
    }

    private static string Expected(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Bool => "must be true or false",
        FieldType.UInt32 => "must be an unsigned integer of 32 bits",
        FieldType.Int64 => "must be an integer of 64 bits",
        _ => "must be an integer of 32 bits",
    };

    private static void AssertRefused(FieldDescriptor[] path, WireFormat.WireType wireType, byte[] inProtobuf, byte[] inJson, string problem)
    {
        var expected = $"{Fields.Name(path)}: {problem}";
        Assert.Equal((null, expected), Read(path, Fields.InProtobuf(path, wireType, inProtobuf), ImCodec.Protobuf));
        Assert.Equal((null, expected), Read(path, Fields.InJson(path, inJson), ImCodec.Json));
    }

    private static void AssertEqual(FieldDescriptor[] path, WireFormat.WireType wireType, byte[] inProtobuf, byte[] inJson)
    {
        var (fromProtobuf, problem) = Read(path, Fields.InProtobuf(path, wireType, inProtobuf), ImCodec.Protobuf);
        Assert.Equal("", problem);
        Assert.NotNull(fromProtobuf);
        Assert.Equal((fromProtobuf, ""), Read(path, Fields.InJson(path, inJson), ImCodec.Json));
    }

    private static (IMessage? Packet, string Problem) Read(FieldDescriptor[] path, byte[] bytes, ImCodec codec)
    {
        if (path[0].ContainingType == ClientPacket.Descriptor)
        {
            var read = PacketCodec.TryReadClientPacket(new ReadOnlySequence<byte>(bytes), codec, out var client, out var problem);
            Assert.Equal(read, client is not null);
            return (client, problem);
        }

        var readServer = PacketCodec.TryReadServerPacket(new ReadOnlySequence<byte>(bytes), codec, out var server, out var why);
        Assert.Equal(readServer, server is not null);
        return (server, why);
    }
}
