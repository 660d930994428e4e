using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Im.ModelTests;

/// <summary>What really happened in a run, so that a run in which nothing happened fails. Thread-safe.</summary>
internal sealed class Statistics : IDisposable
{
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();

    public Statistics()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Im.Server" && instrument is Counter<long>)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(Name(instrument, tags), value));
        _listener.Start();
    }

    public long this[string name] => _counts.GetValueOrDefault(name);

    public void Add(string name, long count = 1) => _counts.AddOrUpdate(name, count, (_, before) => before + count);

    /// <summary>The sum of all counts whose name begins so.</summary>
    public long Sum(string prefix) => _counts.Where(count => count.Key.StartsWith(prefix, StringComparison.Ordinal)).Sum(count => count.Value);

    public override string ToString() =>
        string.Join(Environment.NewLine, _counts.OrderBy(count => count.Key, StringComparer.Ordinal).Select(count => $"  {count.Key} = {count.Value:N0}"));

    public void Dispose() => _listener.Dispose();

    private static string Name(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (instrument.Name is "im.packets.received" or "im.deliveries" or "im.sessions.behind" || tags.Length == 0)
        {
            return "server " + instrument.Name;
        }

        return $"server {instrument.Name} {string.Join(' ', tags.ToArray().Where(tag => tag.Key != "transport").Select(tag => tag.Value))}";
    }
}
