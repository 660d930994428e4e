using Im.Diagnostics;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;
using Microsoft.Extensions.Options;

namespace Im.Sync;

/// <summary>Makes a page of the runs that follow a cursor: what is in memory is taken from there, the rest is read from the store in one call.</summary>
/// <remarks>
/// <code>
/// runs       g 5–9      d 3      g 10–12        known: recent entries, or read for another session a moment ago
/// known      g 5–9               g 10–11
/// missing               d 3               g 12  ─▶ one read
/// page       g 5–9      d 3      g 10–11  g 12  one segment each
/// </code>
/// </remarks>
internal sealed class PageReader(
    IMessageStore store, RecentEntries recent, ImMetrics metrics, TimeProvider time, IOptions<ImServerOptions> options)
{
    // A quarter of what the recent entries have: sessions that read the same are close to each other.
    private readonly ReadRuns _read = new(options.Value.RecentEntriesBytes / 4, time);
    private readonly int _maxBytes = options.Value.MaxPageBytes;

    /// <summary>A page with a prefix of the runs; null for none.</summary>
    public async ValueTask<PushPayload?> ReadAsync(IReadOnlyList<Run> runs, CancellationToken cancellationToken)
    {
        if (runs.Count == 0)
        {
            return null;
        }

        var parts = new List<Part>();
        var missing = new List<Run>();
        var bytes = FindKnown(runs, parts, missing);
        metrics.PageRead(fromRecent: missing.Count == 0);
        if (missing.Count == 0)
        {
            return new PushPayload([.. parts.Select(part => part.Known!.Value)]);
        }

        var entries = await store.ReadEntriesAsync(missing, Math.Max(_maxBytes - bytes, 1), cancellationToken);
        return Assemble(parts, entries as StoredEntry[] ?? [.. entries]);
    }

    /// <summary>Forgets what is in memory of some conversations: it has changed in the store.</summary>
    public void Forget(IReadOnlyCollection<string> conversationIds)
    {
        recent.Remove(conversationIds);
        _read.Remove(conversationIds);
    }

    // Divides the runs into parts, up to a page of known bytes; returns these bytes.
    private int FindKnown(IReadOnlyList<Run> runs, List<Part> parts, List<Run> missing)
    {
        var bytes = 0;
        foreach (var run in runs)
        {
            for (var taken = 0; taken < run.Count;)
            {
                var first = run.First + taken;
                if ((recent.Find(run.ConversationId, first, run.Count - taken) ?? _read.Find(run.ConversationId, first, run.Count - taken)) is not { } slice)
                {
                    // What else is known of this run is passed over: it is read with the rest.
                    var rest = new Run(run.ConversationId, first, run.Count - taken);
                    parts.Add(new Part(null, rest.Count));
                    missing.Add(rest);
                    break;
                }

                bytes += slice.Run.Slice(ImCodec.Protobuf, slice.Skip, slice.Count).Length;
                if (parts.Count > 0 && bytes > _maxBytes)
                {
                    return bytes;
                }

                parts.Add(new Part(slice, slice.Count));
                taken += slice.Count;
            }
        }

        return bytes;
    }

    // The store may have returned a prefix of what was missing: the page ends there.
    private PushPayload? Assemble(List<Part> parts, StoredEntry[] entries)
    {
        var slices = new List<RunSlice>(parts.Count);
        var used = 0;
        foreach (var part in parts)
        {
            if (part.Known is { } known)
            {
                slices.Add(known);
                continue;
            }

            var count = Math.Min(part.Count, entries.Length - used);
            if (count > 0)
            {
                var run = EncodedRun.Create(entries.AsSpan(used, count));
                _read.Add(run);
                slices.Add(new RunSlice(run, 0, count));
                used += count;
            }

            if (count < part.Count)
            {
                break;
            }
        }

        return slices.Count == 0 ? null : new PushPayload([.. slices]);
    }

    /// <summary>Some entries of a page: known, or to be read.</summary>
    private readonly record struct Part(RunSlice? Known, int Count);
}
