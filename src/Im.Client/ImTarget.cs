namespace Im.Client;

/// <summary>Where a message goes: to a user, that is the direct conversation with that user, or to a conversation.</summary>
public readonly record struct ImTarget
{
    private ImTarget(string? userId, string? conversationId)
    {
        UserId = userId;
        ConversationId = conversationId;
    }

    /// <summary>The user, or null.</summary>
    public string? UserId { get; }

    /// <summary>The conversation, or null.</summary>
    public string? ConversationId { get; }

    /// <summary>The direct conversation with a user.</summary>
    public static ImTarget User(string userId)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        return new ImTarget(userId, null);
    }

    /// <summary>A conversation by its id.</summary>
    public static ImTarget Conversation(string conversationId)
    {
        ArgumentException.ThrowIfNullOrEmpty(conversationId);
        return new ImTarget(null, conversationId);
    }
}
