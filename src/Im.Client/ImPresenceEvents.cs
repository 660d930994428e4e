using Im.Protocol;

namespace Im.Client;

/// <summary>The newest state of users whose presence is subscribed to: of those that changed, or, after a reconnect, of all.</summary>
/// <param name="Users">The users.</param>
public sealed record ImPresenceEvent(IReadOnlyList<UserPresence> Users) : ImEvent;

/// <summary>A subscription to presence could not be taken up again after a reconnect, for example since this user left the conversation.</summary>
/// <param name="ConversationId">The conversation; null = the users that were subscribed to by themselves.</param>
/// <param name="Error">Why.</param>
public sealed record ImPresenceEndedEvent(string? ConversationId, ImClientException Error) : ImEvent;
