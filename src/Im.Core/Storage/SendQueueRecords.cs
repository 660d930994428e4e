namespace Im.Storage;

/// <summary>A send that waits in the store.</summary>
public sealed record QueuedSend
{
    /// <summary>The node that took it.</summary>
    public required string NodeName { get; init; }

    /// <summary>When it was taken, unix milliseconds UTC.</summary>
    public required long TimeMs { get; init; }

    /// <summary>Who sends it.</summary>
    public required string SenderId { get; init; }

    /// <summary>The id under which it is stored once.</summary>
    public required string ClientMessageId { get; init; }

    /// <summary>Into which conversation.</summary>
    public required string ConversationId { get; init; }

    /// <summary>An <c>im.v1.Content</c>, as the host gave it.</summary>
    public required ReadOnlyMemory<byte> Content { get; init; }
}

/// <summary>A row of the queue.</summary>
/// <param name="Id">Its number, from 1 on; later rows have higher ones.</param>
/// <param name="Send">The send.</param>
public readonly record struct QueuedRow(long Id, QueuedSend Send);

/// <summary>How long the queue is.</summary>
/// <param name="Rows">How many rows wait; may be estimated from their numbers, then never too few. 0 is exact.</param>
/// <param name="OldestMs">When the first one was taken, unix milliseconds UTC; null = there is none.</param>
/// <param name="HasRowsOfNode">Whether rows of the node that was asked for are among them.</param>
public readonly record struct SendQueueState(long Rows, long? OldestMs, bool HasRowsOfNode);

/// <summary>Who may drain the queue.</summary>
/// <param name="Owner">The holder; empty = nobody.</param>
/// <param name="Number">Rises each time that it is taken or renewed.</param>
public readonly record struct SendQueueLease(string Owner, long Number)
{
    /// <summary>Nobody's.</summary>
    public static SendQueueLease Free { get; } = new("", 0);
}
