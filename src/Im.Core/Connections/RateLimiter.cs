namespace Im.Connections;

/// <summary>
/// A token bucket of one second's worth, without a timer. While a refused message has not come again, later ones are refused too, though there would be
/// tokens by now: what was under way behind it does not overtake it. Used by one thread at a time.
/// </summary>
internal sealed class RateLimiter(int perSecond, TimeProvider time)
{
    // Longer than any client library waits before it sends again. Whoever gives the message up waits this long.
    private static readonly TimeSpan HoldFor = TimeSpan.FromSeconds(2);

    private double _tokens = perSecond;
    private long _refilledAt = time.GetTimestamp();
    private string? _refused;
    private long _refusedAt;

    /// <summary>Whether the message may go on.</summary>
    /// <param name="id">Under which it will come again; null = it will not.</param>
    public bool TryTake(string? id)
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(perSecond, _tokens + (time.GetElapsedTime(_refilledAt, now).TotalSeconds * perSecond));
        _refilledAt = now;
        if (_refused is not null && time.GetElapsedTime(_refusedAt, now) >= HoldFor)
        {
            _refused = null;
        }

        if (id is not null && _refused is not null && _refused != id)
        {
            return false;
        }

        if (_tokens < 1)
        {
            (_refused, _refusedAt) = id is null ? (_refused, _refusedAt) : (id, now);
            return false;
        }

        _tokens--;
        _refused = id is null ? _refused : null;
        return true;
    }
}
