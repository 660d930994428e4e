using Im.Protocol;

namespace Im.Client;

/// <summary>
/// The device's cursors were not usable (it is new, was away too long, or the store is another one): the application drops what it has of
/// conversations and entries and starts from this snapshot. History is read with <see cref="ImClient.SyncBeforeAsync"/>.
/// </summary>
/// <param name="Generation">The store generation from here on.</param>
/// <param name="InboxSeq">The inbox goes on after this one.</param>
/// <param name="Conversations">All conversations of the user.</param>
public sealed record ImResetEvent(string Generation, long InboxSeq, IReadOnlyList<ConversationState> Conversations) : ImEvent;
