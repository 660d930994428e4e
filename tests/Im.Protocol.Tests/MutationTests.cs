using System.Buffers;
using Google.Protobuf;
using Xunit.Abstractions;

namespace Im.Protocol.Tests;

/// <summary>
/// Valid streams with random damage, through framing and parsing as a server does it: nothing is thrown, memory stays in proportion to
/// the bytes, and what is still read means the same in both codecs.
/// </summary>
public sealed class MutationTests(ITestOutputHelper output)
{
    private const int MutationsPerCodec = 500_000;
    private const int ServerMutationsPerCodec = 50_000;
    private const int MaxPacketBytes = 1 << 16;

    // An element of two bytes becomes an object of 40 bytes and its place in a list that doubles.
    private const int MaxAllocatedPerByte = 80;
    private const int MaxAllocatedPerPacket = 16_384;

    private static readonly byte[][] Splices =
    [
        [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1], [0], [0x0B], [0xED, 0xA0, 0x80],
        "\""u8.ToArray(), "\\ud800"u8.ToArray(), "{"u8.ToArray(), "}"u8.ToArray(), "[[[["u8.ToArray(), "null"u8.ToArray(), "1e999"u8.ToArray(),
        ","u8.ToArray(), "\"ping\":{},"u8.ToArray(), "-"u8.ToArray(),
    ];

    private delegate bool TryReadPacket<T>(in ReadOnlySequence<byte> bytes, ImCodec codec, out T? packet, out string problem);

    [Theory]
    [InlineData(ImCodec.Protobuf)]
    [InlineData(ImCodec.Json)]
    public void DamagedStreamsOfClientPacketsNeverThrow(ImCodec codec) =>
        Run(codec, MutationsPerCodec, ClientPacket.Parser, PacketCodec.TryReadClientPacket, PacketCodec.Write);

    [Theory]
    [InlineData(ImCodec.Protobuf)]
    [InlineData(ImCodec.Json)]
    public void DamagedStreamsOfServerPacketsNeverThrow(ImCodec codec) =>
        Run(codec, ServerMutationsPerCodec, ServerPacket.Parser, PacketCodec.TryReadServerPacket, PacketCodec.Write);

    private void Run<T>(ImCodec codec, int mutations, MessageParser<T> parser, TryReadPacket<T> tryRead, Func<T, ImCodec, byte[]> write)
        where T : class, IMessage<T>, new()
    {
        var random = Seed.NewRandom(output);
        var packets = new RandomPackets(random);
        var streams = Enumerable.Range(0, 60)
            .Select(_ => packets.OneOfEachKind(new T().Descriptor).Cast<T>().OrderBy(_ => random.Next()).Take(random.Next(1, 4)))
            .Select(some => PacketFramingTests.Frame(some.Select(packet => write(packet, codec)).Where(bytes => bytes.Length < 2000)))
            .Where(stream => stream.Length > 0)
            .ToArray();
        var withoutUnknown = parser.WithDiscardUnknownFields(true);
        var (read, refused) = (0, 0);
        for (var i = 0; i < mutations; i++)
        {
            var bytes = Mutate(random, streams);
            var buffer = random.Next(4) == 0 ? Segments.Cut(bytes, random.Next(bytes.Length + 1)) : new ReadOnlySequence<byte>(bytes);
            var left = buffer.Length;
            while (PacketFraming.TryRead(ref buffer, MaxPacketBytes, out var packet, out _) == FrameStatus.Packet)
            {
                Assert.True(buffer.Length < left);
                left = buffer.Length;
                var before = GC.GetAllocatedBytesForCurrentThread();
                var ok = tryRead(packet, codec, out var parsed, out var problem);
                var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                if (allocated > MaxAllocatedPerPacket + (MaxAllocatedPerByte * packet.Length)
                    || ok != (parsed is not null) || ok != (problem.Length == 0))
                {
                    Assert.Fail($"{allocated} bytes for {Convert.ToHexString(packet.ToArray())}: {ok} {problem}");
                }

                _ = ok ? read++ : refused++;
                if (ok && read % 16 == 0)
                {
                    AssertSameInBoth(withoutUnknown.ParseFrom(parsed!.ToByteArray()), tryRead, write);
                }
            }
        }

        output.WriteLine($"{read} read, {refused} refused");
        Assert.True(read > mutations / 20 && refused > mutations / 20, $"{read} read, {refused} refused: the damage is too small or too large");
    }

    private static void AssertSameInBoth<T>(T packet, TryReadPacket<T> tryRead, Func<T, ImCodec, byte[]> write)
        where T : class
    {
        foreach (var codec in Enum.GetValues<ImCodec>())
        {
            Assert.True(tryRead(new(write(packet, codec)), codec, out var again, out var problem), problem);
            Assert.Equal(packet, again);
        }
    }

    private static byte[] Mutate(Random random, byte[][] streams)
    {
        var bytes = (byte[])streams[random.Next(streams.Length)].Clone();
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            if (bytes.Length == 0)
            {
                return bytes;
            }

            var at = random.Next(bytes.Length);
            var length = random.Next(Math.Min(16, bytes.Length - at) + 1);
            switch (random.Next(8))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes[at]++;
                    break;
                case 3:
                    bytes = bytes[..at];
                    break;
                case 4:
                    bytes = [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + length)];
                    break;
                case 5:
                    bytes = [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at, length), .. bytes.AsSpan(at)];
                    break;
                case 6:
                    bytes = [.. bytes.AsSpan(0, at), .. Splices[random.Next(Splices.Length)], .. bytes.AsSpan(at)];
                    break;
                default:
                    bytes = [.. bytes.AsSpan(0, at), .. streams[random.Next(streams.Length)]];
                    break;
            }
        }

        return bytes;
    }
}
