using Im.Protocol;

namespace Im.Client;

/// <summary>The next entry of a timeline. Within one timeline nothing is missing, out of order or given twice.</summary>
/// <param name="ConversationId">The conversation whose own timeline it came through; null when it came through the inbox.</param>
/// <param name="Seq">The position in that timeline: an inbox seq or a conversation seq.</param>
/// <param name="Entry">The entry.</param>
public sealed record ImEntryEvent(string? ConversationId, long Seq, Entry Entry) : ImEvent
{
    /// <summary>Whether it came through the inbox.</summary>
    public bool IsInbox => ConversationId is null;
}
