using System.Diagnostics.Metrics;
using Im.Diagnostics;

namespace Im.Presence;

/// <summary>What presence and signals add to the meter <c>Im.Server</c>. Instruments and tags are listed in docs/operations.md.</summary>
internal sealed class PresenceMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly UpDownCounter<long> _watchers;
    private readonly Counter<long> _published;
    private readonly Counter<long> _notified;
    private readonly Counter<long> _encoded;
    private readonly Counter<long> _eventsDropped;
    private readonly Counter<long> _signals;

    public PresenceMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(ImMetrics.MeterName) ?? new Meter(ImMetrics.MeterName);
        _watchers = _meter.CreateUpDownCounter<long>("im.presence.watchers", "{connection}", "Connections that subscribe to presence.");
        _published = _meter.CreateCounter<long>("im.presence.published", "{user}", "States of users told to other nodes.");
        _notified = _meter.CreateCounter<long>("im.presence.notified", "{packet}", "Packets of presence queued for connections.");
        _encoded = _meter.CreateCounter<long>("im.presence.encoded", "{packet}", "Different packets of presence made, before their encoding for each codec.");
        _eventsDropped = _meter.CreateCounter<long>("im.presence.events.dropped", "{event}", "Events that the host's listeners were too slow for.");
        _signals = _meter.CreateCounter<long>("im.signals.sent", "{signal}", "Signals of clients by outcome.");
    }

    public void Watching(int change) => _watchers.Add(change);

    public void Published(int users) => _published.Add(users);

    public void Notified(int packets, int different)
    {
        _notified.Add(packets);
        _encoded.Add(different);
    }

    public void EventsDropped(int events) => _eventsDropped.Add(events);

    public void Signal(string outcome) => _signals.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void Dispose() => _meter.Dispose();
}
