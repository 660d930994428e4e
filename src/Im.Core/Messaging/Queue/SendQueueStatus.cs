using Im.Diagnostics;
using Im.Storage;

namespace Im.Messaging.Queue;

/// <summary>How long the queue was when it was last looked at: for health, metrics, and the drainer.</summary>
internal sealed class SendQueueStatus
{
    private readonly TimeProvider _time;
    private Box _state = new(default);

    public SendQueueStatus(TimeProvider time, ImMetrics metrics)
    {
        _time = time;
        metrics.Watch(this);
    }

    public SendQueueState State
    {
        get => Volatile.Read(ref _state).Value;
        set => Volatile.Write(ref _state, new Box(value));
    }

    /// <summary>How long the first row waits; 0 where there is none.</summary>
    public TimeSpan OldestAge => State.OldestMs is { } oldest
        ? TimeSpan.FromMilliseconds(Math.Max(0, _time.GetUtcNow().ToUnixTimeMilliseconds() - oldest))
        : TimeSpan.Zero;

    private sealed record Box(SendQueueState Value);
}
