using Im.Model;

namespace Im.Rooms;

/// <summary>A message that the host sends to a room.</summary>
public sealed record OutgoingRoomMessage
{
    /// <summary>A user's id, or a system sender's name, which begins with <c>$</c>, for example <c>$orders</c>.</summary>
    public required string SenderId { get; init; }

    /// <summary>What it says.</summary>
    public required MessageContent Content { get; init; }

    /// <summary>Passed through to the subscribers; rooms do not deduplicate. At most 64 bytes.</summary>
    public string ClientMessageId { get; init; } = "";
}
