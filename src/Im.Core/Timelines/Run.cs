namespace Im.Timelines;

/// <summary>Consecutive entries of one conversation. It always expands to <paramref name="Count"/> entries, some perhaps gone.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="First">The first entry's seq in the conversation.</param>
/// <param name="Count">How many entries; at least 1.</param>
public readonly record struct Run(string ConversationId, ConversationSeq First, int Count)
{
    /// <summary>The last entry's seq in the conversation.</summary>
    public ConversationSeq Last => First + (Count - 1);
}
