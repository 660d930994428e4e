namespace Im.Timelines;

/// <summary>Which kind of timeline a <see cref="TimelineKey"/> names.</summary>
public enum TimelineKind
{
    /// <summary>A conversation's messages and changes.</summary>
    Conversation = 0,

    /// <summary>A user's inbox.</summary>
    Inbox = 1,
}

/// <summary>Names one timeline: a conversation by its id or an inbox by its user's id.</summary>
public readonly record struct TimelineKey(TimelineKind Kind, string Id)
{
    /// <summary>The timeline of a conversation.</summary>
    public static TimelineKey Conversation(string conversationId) => new(TimelineKind.Conversation, conversationId);

    /// <summary>The inbox of a user.</summary>
    public static TimelineKey Inbox(string userId) => new(TimelineKind.Inbox, userId);
}
