using System.Diagnostics.Metrics;

namespace Im.Storage.Redis.Internal;

/// <summary>The meter <c>Im.Redis</c>. Instruments and tags are listed in docs/operations.md.</summary>
internal sealed class RedisMetrics : IDisposable
{
    public const string MeterName = "Im.Redis";

    private readonly Meter _meter;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _dropped;
    private readonly UpDownCounter<long> _open;

    public RedisMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _failures = _meter.CreateCounter<long>("im.redis.failures", "{operation}", "Operations that failed, by operation and reason.");
        _dropped = _meter.CreateCounter<long>("im.redis.dropped", "{message}", "Messages that were dropped because a queue was full.");
        _open = _meter.CreateUpDownCounter<long>("im.redis.circuit", "{circuit}", "1 while Redis does not answer and operations fail at once.");
    }

    public void Failed(string operation, string why) => _failures.Add(
        1, new KeyValuePair<string, object?>("operation", operation), new KeyValuePair<string, object?>("why", why));

    public void Dropped(string queue, long count) => _dropped.Add(count, new KeyValuePair<string, object?>("queue", queue));

    public void CircuitOpened() => _open.Add(1);

    public void CircuitClosed() => _open.Add(-1);

    public void Dispose() => _meter.Dispose();
}
