using Im.Diagnostics;

namespace Im.Administration;

/// <summary>What goes through this node: the totals of the metrics, looked at about once a second and kept for a minute.</summary>
/// <remarks>Written by the heartbeat, read by whoever asks for the status; the lock guards the samples and is held for a few steps.</remarks>
internal sealed class RateSampler
{
    private const int MaxSamples = 61;
    private static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(900);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly ImMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Queue<Sample> _samples = new();
    private readonly long _startedAt;
    private Sample _last;

    public RateSampler(ImMetrics metrics, TimeProvider time)
    {
        _metrics = metrics;
        _time = time;
        _last = Take();
        _samples.Enqueue(_last);
        _startedAt = _last.At;
    }

    /// <summary>How long the node has been running.</summary>
    public TimeSpan Uptime => _time.GetElapsedTime(_startedAt);

    /// <summary>Takes a sample if the last one is old enough.</summary>
    public void Tick()
    {
        var now = Take();
        lock (_lock)
        {
            if (_time.GetElapsedTime(_last.At, now.At) < MinInterval)
            {
                return;
            }

            _last = now;
            _samples.Enqueue(now);
            if (_samples.Count > MaxSamples)
            {
                _samples.Dequeue();
            }
        }
    }

    /// <summary>The rates up to now.</summary>
    public AdminRates Read()
    {
        var now = Take();
        Sample[] samples;
        lock (_lock)
        {
            samples = [.. _samples];
        }

        var history = new List<AdminRateSample>(samples.Length);
        for (var i = 1; i < samples.Length; i++)
        {
            var (sends, deliveries) = RatesBetween(samples[i - 1], samples[i]);
            history.Add(new AdminRateSample(samples[i].TimeMs, sends, deliveries));
        }

        var from = Array.Find(samples, sample => _time.GetElapsedTime(sample.At, now.At) <= Window) ?? samples.LastOrDefault();
        var recent = from is null ? (0, 0) : RatesBetween(from, now);
        return new AdminRates(recent.Sends, recent.Deliveries, now.Sends, now.Deliveries, history);
    }

    private Sample Take() => new(_time.GetTimestamp(), _time.GetUtcNow().ToUnixTimeMilliseconds(), _metrics.TotalSends, _metrics.TotalDeliveries);

    private (double Sends, double Deliveries) RatesBetween(Sample from, Sample to)
    {
        var seconds = _time.GetElapsedTime(from.At, to.At).TotalSeconds;
        return seconds <= 0
            ? (0, 0)
            : (Math.Round((to.Sends - from.Sends) / seconds, 1), Math.Round((to.Deliveries - from.Deliveries) / seconds, 1));
    }

    private sealed record Sample(long At, long TimeMs, long Sends, long Deliveries);
}
