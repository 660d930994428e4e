using System.Diagnostics.CodeAnalysis;

namespace Im.Conversations;

/// <summary>A cache of at most about <c>capacity</c> values: what was not asked for while as many others came is forgotten.</summary>
/// <remarks>Two generations: when the younger one is half the capacity it becomes the older one, and the older one goes. Thread-safe.</remarks>
internal sealed class BoundedCache<TValue>(int capacity)
{
    private readonly Lock _lock = new();
    private Dictionary<string, TValue> _young = new(StringComparer.Ordinal);
    private Dictionary<string, TValue> _old = new(StringComparer.Ordinal);

    public bool TryGet(string key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (_lock)
        {
            if (_young.TryGetValue(key, out value))
            {
                return true;
            }

            if (!_old.Remove(key, out value))
            {
                return false;
            }

            SetLocked(key, value);
            return true;
        }
    }

    public void Remove(string key)
    {
        lock (_lock)
        {
            _young.Remove(key);
            _old.Remove(key);
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _young.Clear();
            _old.Clear();
        }
    }

    public void Set(string key, TValue value)
    {
        lock (_lock)
        {
            SetLocked(key, value);
        }
    }

    /// <summary>Keeps a value in one step with the look at the one before: the one that <paramref name="choose"/> picks of (before, new).</summary>
    public TValue Set(string key, TValue value, Func<TValue, TValue, TValue> choose)
    {
        lock (_lock)
        {
            if (_young.TryGetValue(key, out var before) || _old.Remove(key, out before))
            {
                value = choose(before, value);
            }

            SetLocked(key, value);
            return value;
        }
    }

    private void SetLocked(string key, TValue value)
    {
        if (_young.Count >= Math.Max(1, capacity / 2) && !_young.ContainsKey(key))
        {
            _old = _young;
            _young = new Dictionary<string, TValue>(StringComparer.Ordinal);
        }

        _young[key] = value;
    }
}
