using System.Text;
using Im.Timelines;

namespace Im.Storage.Relational.Append;

/// <summary>The batch's conversations and inboxes, by their places in its timelines; sorted by key where rows are locked, so that writers never wait crosswise.</summary>
internal sealed class TimelineOrder
{
    public TimelineOrder(IReadOnlyList<TimelineKey> timelines, bool sorted)
    {
        for (var i = 0; i < timelines.Count; i++)
        {
            (timelines[i].Kind == TimelineKind.Conversation ? Conversations : Inboxes).Add(i);
        }

        if (sorted)
        {
            Sort(timelines, Conversations);
            Sort(timelines, Inboxes);
        }
    }

    public List<int> Conversations { get; } = [];

    public List<int> Inboxes { get; } = [];

    // As the database compares: byte by byte.
    private static void Sort(IReadOnlyList<TimelineKey> timelines, List<int> order)
    {
        var keys = order.ConvertAll(i => Encoding.UTF8.GetBytes(timelines[i].Id));
        var sorted = Enumerable.Range(0, order.Count).ToArray();
        Array.Sort(sorted, (x, y) => keys[x].AsSpan().SequenceCompareTo(keys[y]));
        var original = order.ToArray();
        for (var i = 0; i < sorted.Length; i++)
        {
            order[i] = original[sorted[i]];
        }
    }
}
