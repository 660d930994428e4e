namespace Im.Connections;

/// <summary>A token bucket of one second's worth, without a timer. Used by one thread at a time.</summary>
internal sealed class RateLimiter(int perSecond, TimeProvider time)
{
    private double _tokens = perSecond;
    private long _refilledAt = time.GetTimestamp();

    public bool TryTake()
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(perSecond, _tokens + (time.GetElapsedTime(_refilledAt, now).TotalSeconds * perSecond));
        _refilledAt = now;
        if (_tokens < 1)
        {
            return false;
        }

        _tokens--;
        return true;
    }
}
