using System.Buffers;

namespace Im.Protocol.Tests;

public sealed class PacketFramingTests
{
    private const int Limit = 20_000;

    private static readonly byte[][] Packets = [.. new[] { 0, 1, 127, 0, 128, 300, 16_384, 2 }.Select(
        (size, index) => Enumerable.Range(0, size).Select(i => (byte)(i + index)).ToArray())];

    [Fact]
    public void EveryStreamInTwoPiecesGivesItsPacketsAtEverySplit()
    {
        var stream = Frame(Packets);
        for (var split = 0; split <= stream.Length; split++)
        {
            AssertPackets(Packets, Segments.Cut(stream, split));
        }
    }

    [Fact]
    public void EveryStreamInThreePiecesGivesItsPacketsAtEveryPairOfSplits()
    {
        byte[][] packets = [[], [1], Packets[4]];
        var stream = Frame(packets);
        for (var first = 0; first <= stream.Length; first++)
        {
            for (var second = first; second <= stream.Length; second++)
            {
                AssertPackets(packets, Segments.Cut(stream, first, second));
            }
        }
    }

    [Fact]
    public void AStreamInPiecesOfOneByteGivesItsPackets()
    {
        var stream = Frame(Packets);
        AssertPackets(Packets, Segments.Cut(stream, Enumerable.Range(1, stream.Length - 1)));
    }

    [Fact]
    public void EveryPrefixOfAStreamGivesExactlyThePacketsThatAreWholeAndAsksForNoMoreThanTheNextOne()
    {
        var stream = Frame(Packets);
        var ends = Packets.Select((_, i) => Frame(Packets[..(i + 1)]).Length).ToArray();
        for (var length = 0; length <= stream.Length; length++)
        {
            var buffer = new ReadOnlySequence<byte>(stream, 0, length);
            var whole = ends.Count(end => end <= length);
            for (var i = 0; i < whole; i++)
            {
                Assert.Equal(FrameStatus.Packet, PacketFraming.TryRead(ref buffer, Limit, out var packet, out _));
                Assert.Equal(Packets[i].Length, packet.Length);
            }

            var left = buffer.ToArray();
            Assert.Equal(FrameStatus.Incomplete, PacketFraming.TryRead(ref buffer, Limit, out var none, out var missing));
            Assert.True(none.IsEmpty);
            Assert.Equal(left, buffer.ToArray());
            var need = whole < ends.Length ? ends[whole] - length : 1;
            Assert.InRange(missing, 1, need);
            var prefixIsWhole = whole < ends.Length && ends[whole] - Packets[whole].Length <= length;
            Assert.True(!prefixIsWhole || missing == need);
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(127, 1)]
    [InlineData(128, 2)]
    [InlineData(16_383, 2)]
    [InlineData(16_384, 3)]
    [InlineData(2_097_151, 3)]
    [InlineData(2_097_152, 4)]
    [InlineData(268_435_455, 4)]
    [InlineData(268_435_456, 5)]
    [InlineData(int.MaxValue, 5)]
    public void ThePrefixIsTheShortestVarintAndIsReadBack(int packetBytes, int prefixBytes)
    {
        var prefix = new byte[PacketFraming.MaxPrefixBytes];
        Assert.Equal(prefixBytes, PacketFraming.PrefixBytes(packetBytes));
        Assert.Equal(prefixBytes, PacketFraming.WritePrefix(prefix, packetBytes));

        var buffer = new ReadOnlySequence<byte>(prefix, 0, prefixBytes);
        var status = PacketFraming.TryRead(ref buffer, int.MaxValue, out _, out var missing);
        Assert.Equal(packetBytes == 0 ? FrameStatus.Packet : FrameStatus.Incomplete, status);
        Assert.Equal(packetBytes, missing);
    }

    [Theory]
    [InlineData("E807", FrameStatus.Incomplete)] // 1000, the limit
    [InlineData("E907", FrameStatus.TooLarge)]
    [InlineData("E9", FrameStatus.Incomplete)]
    [InlineData("FF08", FrameStatus.TooLarge)]
    [InlineData("80808040", FrameStatus.TooLarge)]
    [InlineData("FFFFFFFF07", FrameStatus.TooLarge)] // int.MaxValue
    [InlineData("FFFFFFFF0F", FrameStatus.TooLarge)] // -1 in 32 bits
    [InlineData("FFFFFFFFFFFFFFFFFF01", FrameStatus.TooLarge)] // -1 in 64 bits
    [InlineData("8080808070", FrameStatus.TooLarge)] // bits beyond the 32nd
    [InlineData("8180808000", FrameStatus.Incomplete)] // 1, padded to the longest prefix: a writer may reserve it
    [InlineData("8080808080", FrameStatus.TooLarge)] // longer than the longest prefix, known at its fifth byte
    [InlineData("808080808000", FrameStatus.TooLarge)]
    [InlineData("80808080", FrameStatus.Incomplete)]
    public void ALengthIsJudgedBeforeThePacketsBytesArrive(string hex, FrameStatus expected)
    {
        var bytes = Convert.FromHexString(hex);
        foreach (var sequence in new[] { new ReadOnlySequence<byte>(bytes), Segments.Cut(bytes, Enumerable.Range(1, bytes.Length - 1)) })
        {
            var buffer = sequence;
            Assert.Equal(expected, PacketFraming.TryRead(ref buffer, 1000, out var packet, out _));
            Assert.True(packet.IsEmpty);
            Assert.Equal(bytes.Length, buffer.Length);
        }
    }

    [Fact]
    public void APacketInOneSegmentIsNotCopied()
    {
        var stream = Frame([[1, 2, 3]]);
        var buffer = new ReadOnlySequence<byte>(stream);
        Assert.Equal(FrameStatus.Packet, PacketFraming.TryRead(ref buffer, 3, out var packet, out _));
        stream[1] = 9;
        Assert.Equal([9, 2, 3], packet.ToArray());
    }

    internal static byte[] Frame(IEnumerable<byte[]> packets)
    {
        using var stream = new MemoryStream();
        Span<byte> prefix = stackalloc byte[PacketFraming.MaxPrefixBytes];
        foreach (var packet in packets)
        {
            stream.Write(prefix[..PacketFraming.WritePrefix(prefix, packet.Length)]);
            stream.Write(packet);
        }

        return stream.ToArray();
    }

    private static void AssertPackets(byte[][] packets, ReadOnlySequence<byte> buffer)
    {
        foreach (var expected in packets)
        {
            Assert.Equal(FrameStatus.Packet, PacketFraming.TryRead(ref buffer, Limit, out var packet, out _));
            Assert.Equal(expected.Length, packet.Length);
            Assert.True(packet.ToArray().AsSpan().SequenceEqual(expected));
        }

        Assert.True(buffer.IsEmpty);
        Assert.Equal(FrameStatus.Incomplete, PacketFraming.TryRead(ref buffer, Limit, out _, out var missing));
        Assert.Equal(1, missing);
    }
}
