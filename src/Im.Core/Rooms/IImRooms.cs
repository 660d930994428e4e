using Im.Protocol;

namespace Im.Rooms;

/// <summary>Rooms, for the host's own code: who subscribes now receives; nothing is durable beyond a short replay.</summary>
public interface IImRooms
{
    /// <summary>Sends a message to who subscribes to the room now, on all nodes; no policy is asked. Ends when the room's store has numbered it.</summary>
    /// <returns>The room's epoch and the message's seq in its priority.</returns>
    /// <exception cref="ImException">
    /// The id, sender or content is not valid, or the nodes' common store cannot be reached (<see cref="ImErrorCode.ClusterUnavailable"/>): then the message
    /// may have been delivered or not.
    /// </exception>
    ValueTask<RoomPosition> SendAsync(
        string roomId, OutgoingRoomMessage message, RoomPriority priority = RoomPriority.Normal, CancellationToken cancellationToken = default);

    /// <summary>Sends messages in order; others' may come between them.</summary>
    /// <inheritdoc cref="SendAsync(string, OutgoingRoomMessage, RoomPriority, CancellationToken)"/>
    /// <returns>Each message's position.</returns>
    ValueTask<IReadOnlyList<RoomPosition>> SendAsync(
        string roomId, IReadOnlyList<OutgoingRoomMessage> messages, RoomPriority priority = RoomPriority.Normal, CancellationToken cancellationToken = default);

    /// <summary>How many connections of this node subscribe to the room.</summary>
    int CountSubscribers(string roomId);

    /// <summary>
    /// Ends the subscriptions of a user's connections, or of all, to the room on this node; they get a RoomLeft that answers no request. Whether they may
    /// come back is the policy's.
    /// </summary>
    /// <returns>How many subscriptions ended.</returns>
    int Remove(string roomId, string? userId = null);
}
