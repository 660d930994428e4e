namespace Im.Cluster.InMemory;

/// <summary>Members of large groups in this process: at most so many in all groups together. With a capacity of 0, as on one node, it holds nothing.</summary>
/// <remarks>
/// A group that does not fit makes the others be forgotten; one that is larger than all is never held. Thread-safe: one lock, held for one page at most.
/// </remarks>
internal sealed class InMemoryGroupMemberCache(int capacity, TimeProvider? time = null) : IGroupMemberCache
{
    /// <summary>A fill that has not gone on for this long is forgotten.</summary>
    public static readonly TimeSpan FillTimeout = TimeSpan.FromSeconds(30);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Held> _held = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Held> _filling = new(StringComparer.Ordinal);

    public ValueTask<IReadOnlyList<bool>?> FindAsync(
        string conversationId, long version, IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return new(_held.TryGetValue(conversationId, out var held) && held.Version == version ? [.. userIds.Select(held.Members.Contains)] : null);
        }
    }

    public ValueTask ChangeAsync(
        string conversationId, long fromVersion, IReadOnlyList<string> added, IReadOnlyList<string> removed, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_held.TryGetValue(conversationId, out var held) && held.Version == fromVersion)
            {
                held.Members.ExceptWith(removed);
                held.Members.UnionWith(added);
                held.Version++;
                MakeRoom(conversationId, _held);
            }
        }

        return default;
    }

    public ValueTask<bool> BeginFillAsync(string conversationId, long version, string filler, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var isHeld = capacity == 0 || (_held.TryGetValue(conversationId, out var held) && held.Version == version);
            if (isHeld || (_filling.TryGetValue(conversationId, out var other) && other.Filler != filler && !IsOld(other)))
            {
                return new(false);
            }

            _filling[conversationId] = new Held(version, filler) { Touched = _time.GetTimestamp() };
            return new(true);
        }
    }

    public ValueTask AddAsync(
        string conversationId, long version, string filler, IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (FindFill(conversationId, version, filler) is { } fill)
            {
                fill.Members.UnionWith(userIds);
                fill.Touched = _time.GetTimestamp();
                MakeRoom(conversationId, _filling);
            }
        }

        return default;
    }

    public ValueTask<bool> CompleteFillAsync(string conversationId, long version, string filler, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (FindFill(conversationId, version, filler) is not { } fill)
            {
                return new(false);
            }

            _filling.Remove(conversationId);
            _held[conversationId] = fill;
            return new(true);
        }
    }

    public ValueTask ForgetAsync(string conversationId, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _held.Remove(conversationId);
            _filling.Remove(conversationId);
        }

        return default;
    }

    private Held? FindFill(string conversationId, long version, string filler) =>
        _filling.TryGetValue(conversationId, out var fill) && fill.Version == version && fill.Filler == filler && !IsOld(fill) ? fill : null;

    private bool IsOld(Held fill) => _time.GetElapsedTime(fill.Touched) > FillTimeout;

    // The group that grew stays, in the map in which it is, unless it is too large by itself.
    private void MakeRoom(string conversationId, Dictionary<string, Held> kept)
    {
        if (_held.Values.Sum(held => (long)held.Members.Count) + _filling.Values.Sum(fill => (long)fill.Members.Count) <= capacity)
        {
            return;
        }

        var group = kept[conversationId];
        _held.Clear();
        _filling.Clear();
        if (group.Members.Count <= capacity)
        {
            kept.Add(conversationId, group);
        }
    }

    private sealed class Held(long version, string filler)
    {
        public long Version { get; set; } = version;

        public string Filler { get; } = filler;

        public long Touched { get; set; }

        public HashSet<string> Members { get; } = new(StringComparer.Ordinal);
    }
}
