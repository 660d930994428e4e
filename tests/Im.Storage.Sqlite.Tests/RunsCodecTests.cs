using Im.Storage.Relational;
using Im.Testing.Specification;
using Im.Timelines;
using Xunit.Abstractions;

namespace Im.Storage.Sqlite;

/// <summary>The packed form of runs.</summary>
public sealed class RunsCodecTests(ITestOutputHelper output)
{
    [Fact]
    public void WhatIsPackedIsUnpacked()
    {
        var seed = TestSeed.Next(output);
        var random = new Random(seed);
        string[] ids = ["g:team", "g:tea", "d:3:ann:bob", "g:ünïcode-日本語-🙂", "g:" + new string('x', 150), ""];
        for (var round = 0; round < 200; round++)
        {
            Run[] runs =
            [
                .. Enumerable.Range(0, random.Next(1, 60)).Select(_ => new Run(
                    ids[random.Next(ids.Length)], new ConversationSeq(random.NextInt64(1, 1L << random.Next(1, 62))), random.Next(1, int.MaxValue))),
            ];
            var buffer = new byte[random.Next(0, 40)];
            var length = RunsCodec.Pack(runs, ref buffer);
            ReadOnlySpan<byte> packed = buffer.AsSpan(0, length);
            var unpacked = new List<Run>();
            while (packed.Length > 0)
            {
                unpacked.Add(RunsCodec.Next(ref packed, unpacked.Count > 0 ? unpacked[^1].ConversationId : null));
            }

            Assert.Equal(runs, unpacked);
        }
    }

    [Fact]
    public void DamagedBytesAreRefused()
    {
        byte[] packed = new byte[64];
        var length = RunsCodec.Pack([new Run("g:team", new ConversationSeq(300), 2)], ref packed);
        for (var cut = 1; cut < length; cut++)
        {
            Assert.Throws<InvalidDataException>(() =>
            {
                ReadOnlySpan<byte> damaged = packed.AsSpan(0, cut);
                RunsCodec.Next(ref damaged, null);
            });
        }
    }

    [Fact]
    public void TheSameIdIsTheSameString()
    {
        byte[] packed = new byte[64];
        var length = RunsCodec.Pack([new Run("g:team", new ConversationSeq(3), 2)], ref packed);
        ReadOnlySpan<byte> span = packed.AsSpan(0, length);
        var last = new string("g:team".ToCharArray());
        Assert.Same(last, RunsCodec.Next(ref span, last).ConversationId);
    }
}
