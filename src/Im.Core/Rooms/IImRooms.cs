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

    /// <summary>How many connections subscribe to the room, on all nodes.</summary>
    /// <remarks>
    /// Each node counts at its own moment; one that has joined within the last moments, and is not known to this one, is not asked. Costs a question to
    /// each other node; nothing is asked where this is the only one.
    /// </remarks>
    /// <exception cref="ImException">
    /// The id is not valid, or <see cref="ImErrorCode.ClusterUnavailable"/>: a node that may have subscribers did not answer within
    /// <see cref="Cluster.ImClusterOptions.RequestTimeout"/>, or could not, as one of an older version that does not know the question: then a repeat
    /// helps only when that node is updated. The message says which, and how many there are on the others; the log says why.
    /// </exception>
    ValueTask<int> CountSubscribersAsync(string roomId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends the subscriptions of a user's connections, or of all, to the room, on all nodes; they get a RoomLeft that answers no request. Whether they may
    /// come back is the policy's. A subscription that is being made meanwhile is refused (<see cref="ImErrorCode.RoomForbidden"/>), whatever the policy has
    /// said of it: so let the policy know first, then call this.
    /// </summary>
    /// <inheritdoc cref="CountSubscribersAsync" path="/remarks"/>
    /// <returns>How many subscriptions ended; those that were being made are not counted.</returns>
    /// <exception cref="ImException">
    /// The id is not valid, or <see cref="ImErrorCode.ClusterUnavailable"/>: a node did not answer within
    /// <see cref="Cluster.ImClusterOptions.RequestTimeout"/>, and may have ended its subscriptions or not; or it could not, as one of an older version that
    /// does not know the question, and has ended none until it is updated and asked again. The message says which, the log says why; on the others they
    /// have ended. Safe to repeat.
    /// </exception>
    ValueTask<int> RemoveAsync(string roomId, string? userId = null, CancellationToken cancellationToken = default);
}
