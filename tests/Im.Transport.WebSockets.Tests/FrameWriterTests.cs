using Im.Transport.WebSockets.Internal;

namespace Im.Transport.WebSockets.Tests;

public sealed class FrameWriterTests
{
    [Fact]
    public void FramesAreThePacketsWhateverTheirPieces()
    {
        var random = new Random(Waiting.Seed());
        var pool = new BufferPool();
        var writer = new FrameWriter(pool) { Opcode = Frames.BinaryOpcode, MaxBytes = 1 << 20 };
        Span<byte> header = stackalloc byte[Frames.MaxHeaderBytes];
        for (var round = 0; round < 50; round++)
        {
            using var expected = new MemoryStream();
            for (var packets = random.Next(30); packets > 0; packets--)
            {
                var packet = new byte[random.Next(4) == 0 ? random.Next(100_000) : random.Next(300)];
                random.NextBytes(packet);
                expected.Write(header[..Frames.WriteHeader(header, Frames.BinaryOpcode, packet.Length)]);
                expected.Write(packet);
                writer.BeginPacket(packet.Length);
                for (var at = 0; at < packet.Length;)
                {
                    var piece = random.Next(1, packet.Length - at + 1);
                    if (random.Next(2) == 0)
                    {
                        writer.Write(packet.AsSpan(at, piece));
                    }
                    else
                    {
                        writer.WriteShared(packet.AsMemory(at, piece));
                    }

                    at += piece;
                }

                writer.EndPacket();
            }

            using var written = new MemoryStream();
            writer.Finish().ForEach(segment => written.Write(segment.Span));
            Assert.Equal(expected.ToArray(), written.ToArray());
            writer.Reset();
            Assert.Equal(0, pool.Rented);
        }
    }

    [Fact]
    public void ALongSharedPieceIsNotCopied()
    {
        var writer = new FrameWriter(new BufferPool()) { Opcode = Frames.TextOpcode, MaxBytes = 1024 };
        var shared = new byte[20_000];
        writer.BeginPacket(20_001);
        Assert.False(writer.IsFull);
        writer.Write([1]);
        writer.WriteShared(shared);
        Assert.True(writer.IsFull);
        writer.EndPacket();
        var segments = writer.Finish();
        Assert.Equal(2, segments.Count);
        Assert.Equal(shared, segments[1]);
    }

    [Fact]
    public void APacketOfAnotherLengthThanAnnouncedIsAMistakeThatIsTold()
    {
        var pool = new BufferPool();
        var writer = new FrameWriter(pool) { Opcode = Frames.TextOpcode, MaxBytes = 1024 };
        writer.BeginPacket(3);
        writer.Write([1, 2]);
        Assert.Equal("The packet is 1 bytes shorter than announced.", Assert.Throws<InvalidOperationException>(writer.EndPacket).Message);
        Assert.Equal(
            "The packet is 4 bytes longer than announced.", Assert.Throws<InvalidOperationException>(() => writer.WriteShared(new byte[5])).Message);
        writer.Reset();
        Assert.Equal(0, pool.Rented);
    }
}
