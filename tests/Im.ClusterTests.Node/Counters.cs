using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Im.ClusterTests.Node;

/// <summary>The sums of the counters of all meters whose names begin with "Im.", by instrument and by "instrument{tags}".</summary>
internal sealed class Counters : IDisposable
{
    private readonly ConcurrentDictionary<string, long> _sums = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();

    public Counters()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith("Im.", StringComparison.Ordinal) && instrument is Counter<long> or UpDownCounter<long>)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            Add(instrument.Name, value);
            if (tags.Length > 0)
            {
                Add($"{instrument.Name}{{{string.Join(',', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}}}", value);
            }
        });
        _listener.Start();
    }

    public SortedDictionary<string, long> Read() => new(_sums, StringComparer.Ordinal);

    public void Dispose() => _listener.Dispose();

    private void Add(string name, long value) => _sums.AddOrUpdate(name, value, (_, sum) => sum + value);
}
