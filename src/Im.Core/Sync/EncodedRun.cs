using Im.Protocol;
using Im.Storage;
using Im.Timelines;

namespace Im.Sync;

/// <summary>A run's entries as they stand inside a push: encoded once for each codec and shared by all who get them.</summary>
/// <remarks>
/// <code>
/// protobuf   | 22 len entry | 22 len entry | …          22 = the tag of Push.entries
/// JSON       | ,{entry} | ,{entry} | …                  the first comma of a push is left out
/// </code>
/// Any part of a run is one contiguous slice. Immutable but for the JSON form, which is made when the first JSON session needs it; two
/// threads may make it at once, and either result is good.
/// </remarks>
internal sealed class EncodedRun
{
    private readonly byte[] _protobuf;
    private readonly int[] _protobufEnds;
    private JsonForm? _json;

    private EncodedRun(Run run, byte[] protobuf, int[] protobufEnds)
    {
        Run = run;
        _protobuf = protobuf;
        _protobufEnds = protobufEnds;
    }

    public Run Run { get; }

    /// <summary>What it occupies, in bytes; the JSON form, if any, is as large again.</summary>
    public int Size => _protobuf.Length;

    /// <summary>Encodes consecutive entries of one conversation.</summary>
    public static EncodedRun Create(ReadOnlySpan<StoredEntry> entries)
    {
        var ends = new int[entries.Length];
        var total = 0;
        for (var i = 0; i < entries.Length; i++)
        {
            total += EntryEncoder.MeasureInPush(entries[i]);
            ends[i] = total;
        }

        var bytes = GC.AllocateUninitializedArray<byte>(total);
        var position = 0;
        foreach (var entry in entries)
        {
            position += EntryEncoder.WriteInPush(bytes.AsSpan(position), entry);
        }

        return new EncodedRun(new Run(entries[0].ConversationId, entries[0].Seq, entries.Length), bytes, ends);
    }

    /// <summary>A run whose entries another node has encoded.</summary>
    /// <exception cref="InvalidDataException">The bytes are not the entries of this run.</exception>
    public static EncodedRun Read(Run run, byte[] bytes)
    {
        var ends = new int[run.Count];
        var position = 0;
        for (var i = 0; i < ends.Length; i++)
        {
            position = EntryEncoder.FindEnd(bytes, position)
                ?? throw new InvalidDataException($"Entry {i + 1} of {run.Count} of a run of {run.ConversationId} is broken.");
            ends[i] = position;
        }

        return position == bytes.Length
            ? new EncodedRun(run, bytes, ends)
            : throw new InvalidDataException($"A run of {run.ConversationId} has more than its {run.Count} entries.");
    }

    /// <summary>All entries, as another node gets them.</summary>
    public ReadOnlyMemory<byte> Bytes => _protobuf;

    /// <summary>The bytes of <paramref name="count"/> entries after the first <paramref name="skip"/>.</summary>
    public ReadOnlyMemory<byte> Slice(ImCodec codec, int skip, int count)
    {
        var (bytes, ends) = codec == ImCodec.Json ? GetJson() : (_protobuf, _protobufEnds);
        var start = skip == 0 ? 0 : ends[skip - 1];
        return bytes.AsMemory(start, ends[skip + count - 1] - start);
    }

    private (byte[] Bytes, int[] Ends) GetJson()
    {
        var json = _json;
        if (json is null)
        {
            var output = new System.Buffers.ArrayBufferWriter<byte>(_protobuf.Length * 2);
            var ends = new int[_protobufEnds.Length];
            var start = 0;
            for (var i = 0; i < ends.Length; i++)
            {
                output.GetSpan(1)[0] = (byte)',';
                output.Advance(1);
                var entry = EntryEncoder.Unframe(_protobuf.AsSpan(start, _protobufEnds[i] - start));
                PacketCodec.WriteEntryJson(entry, output);
                ends[i] = output.WrittenCount;
                start = _protobufEnds[i];
            }

            _json = json = new JsonForm(output.WrittenSpan.ToArray(), ends);
        }

        return (json.Bytes, json.Ends);
    }

    private sealed record JsonForm(byte[] Bytes, int[] Ends);
}
