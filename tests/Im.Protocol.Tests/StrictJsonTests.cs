using System.Buffers;
using System.Text;
using Google.Protobuf;

namespace Im.Protocol.Tests;

public sealed class StrictJsonTests
{
    [Theory]
    [InlineData("", "malformed JSON at line 1, byte 1")]
    [InlineData("  ", "malformed JSON at line 1, byte 3")]
    [InlineData("null", "a packet must be a JSON object")]
    [InlineData("[]", "a packet must be a JSON object")]
    [InlineData("1", "a packet must be a JSON object")]
    [InlineData("{", "malformed JSON at line 1, byte 2")]
    [InlineData("{\"ping\":{}", "malformed JSON at line 1, byte 11")]
    [InlineData("{\"ping\":{}} x", "malformed JSON at line 1, byte 13")]
    [InlineData("{\"ping\":{}}{}", "malformed JSON at line 1, byte 12")]
    [InlineData("{\"ping\":{},}", "malformed JSON at line 1, byte 12")]
    [InlineData("{ping:{}}", "malformed JSON at line 1, byte 2")]
    [InlineData("{'ping':{}}", "malformed JSON at line 1, byte 2")]
    [InlineData("{/**/\"ping\":{}}", "malformed JSON at line 1, byte 2")]
    [InlineData("{\"requestId\":01}", "malformed JSON at line 1, byte 15")]
    [InlineData("{\"requestId\":+1}", "malformed JSON at line 1, byte 14")]
    [InlineData("{\"requestId\":NaN}", "malformed JSON at line 1, byte 14")]
    [InlineData("{\n\"send\":{\"userId\":\"a\nb\"}}", "malformed JSON at line 2, byte 20")]
    [InlineData("\ufeff{}", "malformed JSON at line 1, byte 1")]
    [InlineData("{\"ping\":{},\"ping\":{}}", "ping: is given twice")]
    [InlineData("{\"requestId\":1,\"request_id\":1}", "requestId: is given twice")]
    [InlineData("{\"requestId\":1,\"request\\u0049d\":1}", "requestId: is given twice")]
    [InlineData("{\"requestId\":null,\"requestId\":1}", "requestId: is given twice")]
    [InlineData("{\"ping\":{},\"sync\":{}}", "sync: excludes another field that is given")]
    [InlineData("{\"send\":{\"userId\":\"\",\"conversationId\":\"\"}}", "send.conversationId: excludes another field that is given")]
    [InlineData("{\"ping\":[]}", "ping: must be an object")]
    [InlineData("{\"deviceAck\":{\"conversations\":{}}}", "deviceAck.conversations: must be an array")]
    [InlineData("{\"deviceAck\":{\"conversations\":[null]}}", "deviceAck.conversations: must be an object")]
    [InlineData("{\"deviceAck\":{\"conversations\":[[]]}}", "deviceAck.conversations: must be an object")]
    [InlineData("{\"send\":{\"content\":{\"mentions\":[\"a\",null]}}}", "send.content.mentions: must be a string")]
    [InlineData("{\"send\":{\"content\":{\"mentions\":\"a\"}}}", "send.content.mentions: must be an array")]
    [InlineData("{\"send\":{\"content\":{\"text\":\"\\ud83d\"}}}", "send.content.text: is not valid UTF-8")]
    [InlineData("{\"send\":{\"content\":{\"text\":\"\\ude00\\ud83d\"}}}", "send.content.text: is not valid UTF-8")]
    [InlineData("{\"\\ud83d\":1}", "a name is not valid UTF-8")]
    [InlineData("{\"send\":{\"nonPersistent\":\"true\"}}", "send.nonPersistent: must be true or false")]
    [InlineData("{\"send\":{\"nonPersistent\":1}}", "send.nonPersistent: must be true or false")]
    [InlineData("{\"requestId\":1.5}", "requestId: must be an unsigned integer of 32 bits")]
    [InlineData("{\"requestId\":1e-1}", "requestId: must be an unsigned integer of 32 bits")]
    [InlineData("{\"requestId\":1e-99}", "requestId: must be an unsigned integer of 32 bits")]
    [InlineData("{\"requestId\":1e99}", "requestId: must be an unsigned integer of 32 bits")]
    [InlineData("{\"requestId\":1e999999999999}", "requestId: must be an unsigned integer of 32 bits")]
    [InlineData("{\"requestId\":\"\"}", "requestId: must be an unsigned integer of 32 bits")]
    [InlineData("{\"requestId\":\"+1\"}", "requestId: must be an unsigned integer of 32 bits")]
    [InlineData("{\"requestId\":\" 1\"}", "requestId: must be an unsigned integer of 32 bits")]
    [InlineData("{\"requestId\":\"01\"}", "requestId: must be an unsigned integer of 32 bits")]
    [InlineData("{\"requestId\":\"0x1\"}", "requestId: must be an unsigned integer of 32 bits")]
    [InlineData("{\"requestId\":\"1e2\"}", "requestId: must be an unsigned integer of 32 bits")]
    [InlineData("{\"requestId\":\"\\ud800\"}", "requestId: must be an unsigned integer of 32 bits")]
    [InlineData("{\"requestId\":\"-\"}", "requestId: must be an unsigned integer of 32 bits")]
    [InlineData("{\"markRead\":{\"conversationSeq\":9223372036854775808}}", "markRead.conversationSeq: must be an integer of 64 bits")]
    [InlineData("{\"markRead\":{\"conversationSeq\":\"9223372036854775808\"}}", "markRead.conversationSeq: must be an integer of 64 bits")]
    [InlineData("{\"markRead\":{\"conversationSeq\":\"-9223372036854775809\"}}", "markRead.conversationSeq: must be an integer of 64 bits")]
    [InlineData("{\"markRead\":{\"conversationSeq\":\"100000000000000000000000\"}}", "markRead.conversationSeq: must be an integer of 64 bits")]
    [InlineData("{\"send\":{\"content\":{\"data\":\"A\"}}}", "send.content.data: is not valid base64")]
    [InlineData("{\"send\":{\"content\":{\"data\":\"AA=\"}}}", "send.content.data: is not valid base64")]
    [InlineData("{\"send\":{\"content\":{\"data\":\"A===\"}}}", "send.content.data: is not valid base64")]
    [InlineData("{\"send\":{\"content\":{\"data\":\"AA==AA==\"}}}", "send.content.data: is not valid base64")]
    [InlineData("{\"send\":{\"content\":{\"data\":\"A A=\"}}}", "send.content.data: is not valid base64")]
    [InlineData("{\"send\":{\"content\":{\"data\":\"A$AA\"}}}", "send.content.data: is not valid base64")]
    [InlineData("{\"send\":{\"content\":{\"data\":\"é\"}}}", "send.content.data: is not valid base64")]
    [InlineData("{\"send\":{\"content\":{\"data\":[1]}}}", "send.content.data: must be bytes")]
    public void MalformedJsonIsRefusedAndTheProblemSaysWhere(string json, string expected)
    {
        var bytes = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(json));
        Assert.False(PacketCodec.TryReadClientPacket(bytes, ImCodec.Json, out var packet, out var problem));
        Assert.Null(packet);
        Assert.Equal(expected, problem);
    }

    [Theory]
    [InlineData(" \r\n\t{ \"ping\" : { } } \n", "{ \"ping\": {} }")]
    [InlineData("{\"request_id\":5,\"sign_in\":{\"device_id\":\"d\",\"inbox_cursor\":7}}", "{\"requestId\":5,\"signIn\":{\"deviceId\":\"d\",\"inboxCursor\":\"7\"}}")]
    [InlineData("{\"request\\u0049d\":5}", "{\"requestId\":5}")]
    [InlineData("{\"requestId\":\"5\"}", "{\"requestId\":5}")]
    [InlineData("{\"requestId\":\"\\u0035\"}", "{\"requestId\":5}")]
    [InlineData("{\"requestId\":5.0}", "{\"requestId\":5}")]
    [InlineData("{\"requestId\":5e0}", "{\"requestId\":5}")]
    [InlineData("{\"requestId\":50E-1}", "{\"requestId\":5}")]
    [InlineData("{\"requestId\":-0.0e5}", "{}")]
    [InlineData("{\"requestId\":null,\"ping\":null,\"sync\":null,\"traceparent\":null}", "{}")]
    [InlineData("{\"ping\":null,\"sync\":{\"maxEntries\":-1}}", "{\"sync\":{\"maxEntries\":-1}}")]
    [InlineData("{\"deviceAck\":{\"conversations\":null}}", "{\"deviceAck\":{}}")]
    [InlineData("{\"deviceAck\":{\"conversations\":[]}}", "{\"deviceAck\":{}}")]
    [InlineData("{\"send\":{\"userId\":\"\"}}", "{\"send\":{\"userId\":\"\"}}")]
    [InlineData("{\"sync\":{\"conversation\":{\"beforeConversationSeq\":0}}}", "{\"sync\":{\"conversation\":{\"beforeConversationSeq\":\"0\"}}}")]
    [InlineData("{\"send\":{\"nonPersistent\":false}}", "{\"send\":{}}")]
    [InlineData("{\"send\":{\"content\":{\"data\":\"-_8\"}}}", "{\"send\":{\"content\":{\"data\":\"+/8=\"}}}")]
    [InlineData("{\"send\":{\"content\":{\"data\":\"+\\/8=\"}}}", "{\"send\":{\"content\":{\"data\":\"+/8=\"}}}")]
    [InlineData("{\"send\":{\"content\":{\"data\":\"AA\"}}}", "{\"send\":{\"content\":{\"data\":\"AA==\"}}}")]
    [InlineData("{\"send\":{\"content\":{\"text\":\"\\ud83d\\ude00\\u0061\\/\"}}}", "{\"send\":{\"content\":{\"text\":\"😀a/\"}}}")]
    [InlineData("{\"unknown\":{\"a\":[{}]},\"unknown\":1,\"Ping\":7}", "{}")]
    public void EveryFormThatTheMappingAllowsIsRead(string json, string same)
    {
        Assert.True(PacketCodec.TryReadClientPacket(new(Encoding.UTF8.GetBytes(json)), ImCodec.Json, out var packet, out var problem), problem);
        Assert.Equal(JsonParser.Default.Parse<ClientPacket>(same), packet);
    }

    [Theory]
    [InlineData("\"STORED\"", SendResult.Stored)]
    [InlineData("\"STO\\u0052ED\"", SendResult.Stored)]
    [InlineData("3", SendResult.Relayed)]
    [InlineData("77", (SendResult)77)]
    public void AnEnumIsReadByNameAndByNumber(string value, SendResult expected)
    {
        var bytes = Encoding.UTF8.GetBytes($"{{\"sendAck\":{{\"result\":{value}}}}}");
        Assert.True(PacketCodec.TryReadServerPacket(new(bytes), ImCodec.Json, out var packet, out var problem), problem);
        Assert.Equal(expected, packet.SendAck.Result);
    }

    [Theory]
    [InlineData("\"stored\"", "is not a known name")]
    [InlineData("\"1\"", "is not a known name")]
    [InlineData("\"\\ud800\"", "is not a known name")]
    [InlineData("1.5", "must be an integer of 32 bits")]
    [InlineData("true", "must be an integer of 32 bits")]
    public void AnUnknownEnumNameIsRefused(string value, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes($"{{\"sendAck\":{{\"result\":{value}}}}}");
        Assert.False(PacketCodec.TryReadServerPacket(new(bytes), ImCodec.Json, out _, out var problem));
        Assert.Equal($"sendAck.result: {expected}", problem);
    }

    [Fact]
    public void EmojiAndChineseAreWrittenAsTheyAre()
    {
        var packet = new ClientPacket { Send = new Send { Content = new Content { Text = "你好 😀 <&> é\u2028\n\u0001\"" } } };
        Assert.Equal("{\"send\":{\"content\":{\"text\":\"你好 😀 <&> é\u2028\\n\\u0001\\\"\"}}}", Encoding.UTF8.GetString(PacketCodec.Write(packet, ImCodec.Json)));
    }

    [Fact]
    public void NestingUpToTheLimitIsReadAndBeyondItRefused()
    {
        Assert.True(Read(Nested(PacketCodec.MaxDepth - 1), out var problem), problem);
        Assert.False(Read(Nested(PacketCodec.MaxDepth), out problem));
        Assert.Equal($"nested deeper than {PacketCodec.MaxDepth}", problem);
        Assert.False(Read(Nested(1_000_000), out problem));
        Assert.Equal($"nested deeper than {PacketCodec.MaxDepth}", problem);
        Assert.False(Read(Nested(PacketCodec.MaxDepth - 1).Replace("[]", "[?]", StringComparison.Ordinal), out problem));
        Assert.StartsWith("malformed JSON", problem, StringComparison.Ordinal);

        static string Nested(int arrays) => $"{{\"x\":{new string('[', arrays)}{new string(']', arrays)}}}";
        static bool Read(string json, out string problem) =>
            PacketCodec.TryReadClientPacket(new(Encoding.UTF8.GetBytes(json)), ImCodec.Json, out _, out problem);
    }

    [Fact]
    public void TextThatIsNotUtf8IsRefusedInUnknownFieldsToo()
    {
        foreach (var json in new[] { "{\"x\":\"?\"}", "{\"?\":1}", "{\"x\":{\"y\":[\"?\"]}}" })
        {
            var bytes = Encoding.UTF8.GetBytes(json);
            bytes[Array.IndexOf(bytes, (byte)'?')] = 0xFF;
            Assert.False(PacketCodec.TryReadClientPacket(new(bytes), ImCodec.Json, out _, out var problem));
            Assert.Equal("the JSON is not valid UTF-8", problem);
        }
    }
}
