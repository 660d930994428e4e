using System.Diagnostics.Metrics;
using Im.Diagnostics;
using Im.Protocol;

namespace Im.Rooms;

/// <summary>What rooms add to the meter <c>Im.Server</c>. Instruments and tags are listed in docs/operations.md.</summary>
internal sealed class RoomMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly UpDownCounter<long> _subscriptions;
    private readonly Counter<long> _sent;
    private readonly Counter<long> _deliveries;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _lost;
    private readonly Counter<long> _replayed;
    private readonly Counter<long> _failures;
    private readonly Histogram<double> _publishSeconds;
    private readonly Histogram<long> _publishMessages;

    public RoomMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(ImMetrics.MeterName) ?? new Meter(ImMetrics.MeterName);
        _subscriptions = _meter.CreateUpDownCounter<long>("im.rooms.subscriptions", "{subscription}", "Subscriptions of connections to rooms.");
        _sent = _meter.CreateCounter<long>("im.rooms.sends", "{message}", "Messages to rooms by priority.");
        _deliveries = _meter.CreateCounter<long>("im.rooms.deliveries", "{message}", "Room messages queued for subscribers.");
        _dropped = _meter.CreateCounter<long>("im.rooms.dropped", "{message}", "Room messages dropped because a subscriber was too slow.");
        _lost = _meter.CreateCounter<long>("im.rooms.lost", "{message}", "Room messages that did not reach this node.");
        _replayed = _meter.CreateCounter<long>("im.rooms.replayed", "{message}", "Room messages replayed to new subscribers.");
        _failures = _meter.CreateCounter<long>("im.rooms.failures", "{failure}", "What the store of rooms could not do, by operation.");
        _publishSeconds = _meter.CreateHistogram<double>("im.rooms.publish.duration", "s", "How long a publish took.");
        _publishMessages = _meter.CreateHistogram<long>("im.rooms.publish.messages", "{message}", "Messages of a publish.");
    }

    public void Subscribed(int change) => _subscriptions.Add(change);

    public void Published(RoomPriority priority, int messages, TimeSpan duration)
    {
        _sent.Add(messages, new KeyValuePair<string, object?>("priority", priority == RoomPriority.High ? "high" : "normal"));
        _publishSeconds.Record(duration.TotalSeconds);
        _publishMessages.Record(messages);
    }

    public void Offered(long deliveries, long dropped)
    {
        _deliveries.Add(deliveries);
        if (dropped > 0)
        {
            _dropped.Add(dropped);
        }
    }

    public void Lost(long messages) => _lost.Add(messages);

    public void Replayed(long messages) => _replayed.Add(messages);

    public void Failed(string operation) => _failures.Add(1, new KeyValuePair<string, object?>("operation", operation));

    public void Dispose() => _meter.Dispose();
}
