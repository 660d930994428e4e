using Im.Protocol;

namespace Im.Sync;

/// <summary>A part of an encoded run.</summary>
internal readonly record struct RunSlice(EncodedRun Run, int Skip, int Count);

/// <summary>The entries of a push, without its timeline and first seq: shared by all sessions of one class, whatever their seqs.</summary>
/// <remarks>Immutable but for each codec's segments, made when its first session is met; two threads may make them at once.</remarks>
internal sealed class PushPayload
{
    private readonly RunSlice[] _slices;
    private readonly Segments?[] _byCodec = new Segments?[2];

    public PushPayload(params RunSlice[] slices)
    {
        _slices = slices;
        foreach (var slice in slices)
        {
            Count += slice.Count;
        }
    }

    public PushPayload(EncodedRun run)
        : this(new RunSlice(run, 0, run.Run.Count))
    {
    }

    /// <summary>How many entries.</summary>
    public int Count { get; }

    public Segments Get(ImCodec codec) => _byCodec[(int)codec] ??= Create(codec);

    private Segments Create(ImCodec codec)
    {
        var segments = new ReadOnlyMemory<byte>[_slices.Length];
        var length = 0;
        for (var i = 0; i < segments.Length; i++)
        {
            var bytes = _slices[i].Run.Slice(codec, _slices[i].Skip, _slices[i].Count);
            segments[i] = codec == ImCodec.Json && i == 0 ? bytes[1..] : bytes;
            length += segments[i].Length;
        }

        return new Segments(segments, length);
    }

    internal sealed record Segments(ReadOnlyMemory<byte>[] Parts, int Length);
}
