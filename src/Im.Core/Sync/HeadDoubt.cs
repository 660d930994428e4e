using Im.Timelines;

namespace Im.Sync;

/// <summary>Timelines that may have entries which were not delivered. Bounded: where there are too many, everything is to be checked.</summary>
internal sealed class HeadDoubt
{
    private const int MaxTimelines = 100_000;

    public HashSet<TimelineKey> Timelines { get; } = [];

    /// <summary>Conversations whose members may be others now.</summary>
    public HashSet<string> ChangedConversations { get; } = new(StringComparer.Ordinal);

    /// <summary>Users whose sessions may have to follow other conversations now.</summary>
    public HashSet<string> UserIds { get; } = new(StringComparer.Ordinal);

    public bool IsEverything { get; private set; }

    public void AddEverything() => IsEverything = true;

    /// <summary>Adds what came while this was tried in vain.</summary>
    public HeadDoubt With(HeadDoubt? later)
    {
        if (later is not null)
        {
            IsEverything |= later.IsEverything;
            Add(later.Timelines, later.ChangedConversations, later.UserIds);
        }

        return this;
    }

    public void Add(IEnumerable<TimelineKey> timelines, IEnumerable<string> changedConversations, IEnumerable<string> userIds)
    {
        Timelines.UnionWith(timelines);
        ChangedConversations.UnionWith(changedConversations);
        UserIds.UnionWith(userIds);
        if (Timelines.Count > MaxTimelines)
        {
            IsEverything = true;
            Timelines.Clear();
        }
    }
}
