using System.Diagnostics.Metrics;

namespace Im.Storage.Relational;

/// <summary>The meter <c>Im.Storage</c>.</summary>
internal sealed class SqlMetrics : IDisposable
{
    public const string MeterName = "Im.Storage";

    private readonly Meter _meter;
    private readonly Counter<long> _retries;

    public SqlMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _retries = _meter.CreateCounter<long>("im.storage.retries", "{retry}", "Transactions that failed and were run again.");
    }

    public void Retried(string store, string why) =>
        _retries.Add(1, new KeyValuePair<string, object?>("store", store), new KeyValuePair<string, object?>("why", why));

    public void Dispose() => _meter.Dispose();
}
