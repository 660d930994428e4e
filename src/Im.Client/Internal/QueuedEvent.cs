namespace Im.Client.Internal;

/// <summary>An event on its way to the application.</summary>
/// <param name="Event">The event.</param>
/// <param name="Change">What it does to a conversation's timeline.</param>
/// <param name="Epoch">Raised by each reset; what is older than the newest reset is void.</param>
internal sealed record QueuedEvent(ImEvent Event, TimelineChange? Change, int Epoch);
