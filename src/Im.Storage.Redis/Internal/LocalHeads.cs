using Im.Timelines;

namespace Im.Storage.Redis.Internal;

/// <summary>A head that this node has observed.</summary>
/// <param name="Head">The head.</param>
/// <param name="ObservedAt">When, as a <see cref="TimeProvider"/>'s timestamp.</param>
/// <param name="ContendedUntil">Until when nothing is proposed for it, since other nodes write there too; 0 = never.</param>
internal readonly record struct LocalHead(long Head, long ObservedAt, long ContendedUntil);

/// <summary>
/// The heads that this node has observed last. Two generations bound it: when the young one holds half of the limit it becomes the old one, and what was
/// in that is forgotten. For one caller at a time.
/// </summary>
internal sealed class LocalHeads(int maxEntries)
{
    private readonly int _maxYoung = Math.Max(1, maxEntries / 2);
    private Dictionary<TimelineKey, LocalHead> _young = [];
    private Dictionary<TimelineKey, LocalHead> _old = [];

    public int Count => _young.Count + _old.Count;

    public bool TryGet(TimelineKey timeline, out LocalHead head) => _young.TryGetValue(timeline, out head) || _old.TryGetValue(timeline, out head);

    public void Set(TimelineKey timeline, in LocalHead head)
    {
        // The young one is looked at first, so an older value that is still in the old one does no harm.
        _young[timeline] = head;
        if (_young.Count >= _maxYoung)
        {
            (_young, _old) = (_old, _young);
            _young.Clear();
        }
    }
}
