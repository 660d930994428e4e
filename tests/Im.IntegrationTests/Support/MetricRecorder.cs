using System.Diagnostics.Metrics;
using Im.Diagnostics;

namespace Im.IntegrationTests.Support;

/// <summary>What one server has counted on the meter <c>Im.Server</c>, by instrument and tag values.</summary>
internal sealed class MetricRecorder : IDisposable
{
    private readonly MeterListener _listener = new();

    // Guards the totals: instruments count on the server's threads.
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _totals = new(StringComparer.Ordinal);

    public MetricRecorder(IMeterFactory factory)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // Other servers of this process have meters of the same name.
            if (instrument.Meter.Name == ImMetrics.MeterName && instrument.Meter.Scope == factory)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var key = instrument.Name;
            foreach (var tag in tags)
            {
                key += $" {tag.Value}";
            }

            lock (_lock)
            {
                _totals[key] = _totals.GetValueOrDefault(key) + value;
            }
        });
        _listener.Start();
    }

    /// <summary>The total of <c>instrument tag tag</c>, tags in the order in which they are given to the instrument.</summary>
    public long this[string key]
    {
        get
        {
            lock (_lock)
            {
                return _totals.GetValueOrDefault(key);
            }
        }
    }

    public void Dispose() => _listener.Dispose();
}
