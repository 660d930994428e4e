using Im.Administration;
using Im.Sync;
using Im.Timelines;

namespace Im.Connections;

/// <content>What an operator is shown of a session.</content>
internal sealed partial class Session
{
    /// <summary>Whether its sign-in is answered and nothing is behind.</summary>
    public bool IsLive
    {
        get
        {
            lock (_outbox.Lock)
            {
                return _isOpen && _timelines.FindBehind() is null;
            }
        }
    }

    /// <summary>The inbox and the first of the conversations that it follows, and how many timelines there are.</summary>
    public (AdminTimeline[] Timelines, int Count) DescribeTimelines(int max)
    {
        lock (_outbox.Lock)
        {
            return ([.. _timelines.All.Take(max).Select(Describe)], _timelines.All.Count());
        }
    }

    /// <summary>One timeline, null = the inbox; null where the session has none.</summary>
    public AdminTimeline? DescribeTimeline(string? conversationId)
    {
        lock (_outbox.Lock)
        {
            return _timelines.Find(conversationId) is { } timeline ? Describe(timeline) : null;
        }
    }

    /// <summary>The rooms that it has subscribed to.</summary>
    public string[] DescribeRooms(int max)
    {
        lock (_outbox.Lock)
        {
            return _rooms is null ? [] : [.. _rooms.Take(max).Select(subscription => subscription.RoomId)];
        }
    }

    private static AdminTimeline Describe(SessionTimeline timeline) => new(
        timeline.Key.Kind == TimelineKind.Inbox ? null : timeline.Key.Id, timeline.Cursor, timeline.KnownHead, timeline.IsLive, timeline.IsFinished);
}
