using System.Buffers;
using Google.Protobuf;

namespace Im.Protocol.Tests;

public sealed class AllocationTests
{
    private const int Rounds = 200;

    private static readonly ClientPacket Send = new()
    {
        RequestId = 7,
        Send = new Send
        {
            ClientMessageId = "0123456789abcdef0123456789abcdef",
            ConversationId = "g:1",
            Content = new Content { ContentType = "text", Text = new string('x', 500), Mentions = { "a", "b" } },
        },
    };

    [Fact]
    public void ReadingASendAllocatesNothingBeyondThePacketInEitherCodec()
    {
        var wire = Send.ToByteArray();
        var parsed = Measure(() => ClientPacket.Parser.ParseFrom(wire.AsSpan()));
        foreach (var codec in Enum.GetValues<ImCodec>())
        {
            var bytes = PacketCodec.Write(Send, codec);
            var one = new ReadOnlySequence<byte>(bytes);
            Assert.Equal(parsed, Measure(() => Assert.True(PacketCodec.TryReadClientPacket(one, codec, out _, out _))));
            var two = Segments.Cut(bytes, bytes.Length / 2);
            Assert.Equal(parsed, Measure(() => Assert.True(PacketCodec.TryReadClientPacket(two, codec, out _, out _))));
        }
    }

    [Fact]
    public void TranscodingAnEntryAllocatesNothing()
    {
        var entry = new Entry { ConversationId = "g:1", ConversationSeq = 5, Content = Send.Send.Content }.ToByteArray();
        var output = new ArrayBufferWriter<byte>(4096);
        Assert.Equal(0, Measure(() =>
        {
            output.ResetWrittenCount();
            PacketCodec.WriteEntryJson(entry, output);
        }));
    }

    [Fact]
    public void WritingJsonAllocatesOnlyItsBytes()
    {
        var ack = new ServerPacket { RequestId = 1, SendAck = new SendAck { ConversationId = "g:1", ConversationSeq = 5, TimeMs = 6 } };
        var size = PacketCodec.Write(ack, ImCodec.Json).Length;
        var array = Measure(() => GC.KeepAlive(new byte[size]));
        Assert.Equal(array, Measure(() => PacketCodec.Write(ack, ImCodec.Json)));
    }

    private static long Measure(Action action)
    {
        // The first rounds fill pools and compile; the smallest of the rest is what the code itself allocates.
        var least = long.MaxValue;
        for (var i = 0; i < Rounds; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            action();
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            least = Math.Min(least, allocated);
        }

        return least;
    }
}
