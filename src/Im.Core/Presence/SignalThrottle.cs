namespace Im.Presence;

/// <summary>How many signals one connection may still send to which conversation or room. Used by the one request that is being handled.</summary>
internal sealed class SignalThrottle(ImPresenceOptions options, TimeProvider time)
{
    private readonly Dictionary<string, (long Since, int Count)> _targets = new(StringComparer.Ordinal);

    public bool TryTake(string target)
    {
        var now = time.GetTimestamp();
        if (_targets.TryGetValue(target, out var window) && !IsOver(window.Since, now))
        {
            _targets[target] = window with { Count = window.Count + 1 };
            return window.Count < options.MaxSignalsPerWindow;
        }

        if (_targets.Count >= options.MaxSignalTargets)
        {
            foreach (var (other, known) in _targets.ToArray())
            {
                if (IsOver(known.Since, now))
                {
                    _targets.Remove(other);
                }
            }

            if (_targets.Count >= options.MaxSignalTargets)
            {
                return false;
            }
        }

        _targets[target] = (now, 1);
        return true;
    }

    private bool IsOver(long since, long now) => time.GetElapsedTime(since, now) >= options.SignalWindow;
}
