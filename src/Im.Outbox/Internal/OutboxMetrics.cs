using System.Diagnostics.Metrics;

namespace Im.Outbox.Internal;

/// <summary>The meter <c>Im.Outbox</c>. Instruments and tags are listed in docs/outbox.md.</summary>
internal sealed class OutboxMetrics : IDisposable
{
    public const string MeterName = "Im.Outbox";

    private readonly Meter _meter;
    private readonly Counter<long> _messages;
    private readonly Counter<long> _heldBack;
    private readonly Counter<long> _failures;
    private readonly Histogram<double> _delay;
    private volatile bool _isLeaseHeld;

    public OutboxMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _messages = _meter.CreateCounter<long>("im.outbox.messages", "{message}", "Messages that left the outbox, by outcome.");
        _heldBack = _meter.CreateCounter<long>("im.outbox.held_back", "{message}", "Times that a message could not be taken for now.");
        _failures = _meter.CreateCounter<long>("im.outbox.failures", "{failure}", "Times that the host's database could not be used by the relay.");
        _delay = _meter.CreateHistogram<double>("im.outbox.delay", "s", "From the call of EnqueueAsync until the message was stored.");
        _meter.CreateObservableGauge("im.outbox.lease", () => _isLeaseHeld ? 1 : 0, "{lease}", "1 where the relay holds the lease.");
    }

    public bool IsLeaseHeld
    {
        set => _isLeaseHeld = value;
    }

    public void Sent(string outcome, TimeSpan delay)
    {
        _messages.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        _delay.Record(Math.Max(0, delay.TotalSeconds));
    }

    public void Refused() => _messages.Add(1, new KeyValuePair<string, object?>("outcome", "refused"));

    public void HeldBack() => _heldBack.Add(1);

    public void Failed() => _failures.Add(1);

    public void Dispose() => _meter.Dispose();
}
