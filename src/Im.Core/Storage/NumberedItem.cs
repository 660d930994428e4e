using Im.Timelines;

namespace Im.Storage;

/// <summary>What an item got from <see cref="BatchNumbering"/>.</summary>
/// <param name="Seq">Its seq in the conversation.</param>
/// <param name="Ordinal">The conversation's ordinal at it.</param>
public readonly record struct NumberedItem(ConversationSeq Seq, long Ordinal);
