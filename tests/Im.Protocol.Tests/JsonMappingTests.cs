using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Xunit.Abstractions;

namespace Im.Protocol.Tests;

/// <summary>Our JSON against Google.Protobuf's, for random packets of every kind.</summary>
public sealed class JsonMappingTests(ITestOutputHelper output)
{
    private const int Rounds = 150;

    [Fact]
    public void ClientPacketsReadAndWriteAsGoogleProtobufDoes()
    {
        var packets = new RandomPackets(Seed.NewRandom(output));
        for (var i = 0; i < Rounds; i++)
        {
            foreach (var packet in packets.OneOfEachKind(ClientPacket.Descriptor).Cast<ClientPacket>())
            {
                AssertSameJson(packet, PacketCodec.Write(packet, ImCodec.Json));
                foreach (var codec in Enum.GetValues<ImCodec>())
                {
                    var bytes = PacketCodec.Write(packet, codec);
                    Assert.True(PacketCodec.TryReadClientPacket(new(bytes), codec, out var read, out var problem), problem);
                    Assert.Equal(packet, read);
                    Assert.Empty(problem);
                }

                var theirs = Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(packet));
                Assert.True(PacketCodec.TryReadClientPacket(new(theirs), ImCodec.Json, out var fromTheirs, out var why), why);
                Assert.Equal(packet, fromTheirs);
            }
        }
    }

    [Fact]
    public void ServerPacketsReadAndWriteAsGoogleProtobufDoes()
    {
        var packets = new RandomPackets(Seed.NewRandom(output));
        for (var i = 0; i < Rounds; i++)
        {
            foreach (var packet in packets.OneOfEachKind(ServerPacket.Descriptor).Cast<ServerPacket>())
            {
                AssertSameJson(packet, PacketCodec.Write(packet, ImCodec.Json));
                foreach (var codec in Enum.GetValues<ImCodec>())
                {
                    var bytes = PacketCodec.Write(packet, codec);
                    Assert.True(PacketCodec.TryReadServerPacket(new(bytes), codec, out var read, out var problem), problem);
                    Assert.Equal(packet, read);
                }

                var theirs = Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(packet));
                Assert.True(PacketCodec.TryReadServerPacket(new(theirs), ImCodec.Json, out var fromTheirs, out var why), why);
                Assert.Equal(packet, fromTheirs);
            }
        }
    }

    [Fact]
    public void EntriesTranscodeAsGoogleProtobufDoes()
    {
        var packets = new RandomPackets(Seed.NewRandom(output));
        for (var i = 0; i < 2000; i++)
        {
            var entry = packets.Message(Entry.Descriptor);
            var json = new ArrayBufferWriter<byte>();
            PacketCodec.WriteEntryJson(entry.ToByteArray(), json);
            AssertSameJson(entry, json.WrittenSpan.ToArray());
        }
    }

    private static void AssertSameJson(IMessage message, byte[] json)
    {
        var ours = Encoding.UTF8.GetString(json);
        var theirs = JsonFormatter.Default.Format(message);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(ours), JsonNode.Parse(theirs)), $"ours:   {ours}\ntheirs: {theirs}");
        Assert.Equal(message, JsonParser.Default.Parse(ours, message.Descriptor));
    }
}
