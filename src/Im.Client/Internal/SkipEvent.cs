namespace Im.Client.Internal;

/// <summary>
/// Entries of a conversation's timeline that do not come through it: the user was away, or they came through the inbox. It moves the cursors
/// in its turn, and the application does not see it.
/// </summary>
internal sealed record SkipEvent(string ConversationId, long First, long Through) : ImEvent;
