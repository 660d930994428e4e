namespace Im.Client;

/// <summary>How far the application has stored a conversation with fan-out on read.</summary>
/// <param name="Seq">The last entry stored.</param>
/// <param name="EndSeq">The entry that ended the timeline (a leave, a dissolve, a switch of fan-out) while entries before it are still to come; 0 = none.</param>
public readonly record struct ImConversationCursor(long Seq, long EndSeq = 0);
