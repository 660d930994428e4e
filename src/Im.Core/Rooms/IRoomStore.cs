using Im.Protocol;

namespace Im.Rooms;

/// <summary>Counts the messages of rooms, keeps a short replay and hands them to the nodes that listen. Nothing of it is durable.</summary>
/// <remarks>
/// Each room and priority has a seq of its own, from 1 without holes within the room's epoch. A store that has lost a room begins a new epoch. A room
/// that nobody publishes to is forgotten after its replay time, and begins a new epoch too. All methods are safe to call at once from many threads;
/// failures are <see cref="Cluster.ImClusterException"/>.
/// </remarks>
public interface IRoomStore
{
    /// <summary>Called once, before anything else.</summary>
    /// <param name="receive">
    /// Called with what is published to the rooms that this node listens to, this node's own included: for one room and priority in seq order, one call
    /// at a time. It must not block. Messages may be lost on the way, which the seqs tell.
    /// </param>
    /// <param name="cancellationToken">Cancels the start.</param>
    ValueTask StartAsync(Action<RoomBatch> receive, CancellationToken cancellationToken);

    /// <summary>Numbers messages, keeps them for replay and hands them to the nodes that listen, in one step.</summary>
    /// <returns>The epoch and the first message's seq.</returns>
    ValueTask<RoomPosition> PublishAsync(
        string roomId, RoomPriority priority, IReadOnlyList<ReadOnlyMemory<byte>> messages, RoomReplayLimits keep, CancellationToken cancellationToken);

    /// <summary>Begins to listen; when it ends, everything that is published from then on is received. Listening twice is no error.</summary>
    ValueTask ListenAsync(string roomId, CancellationToken cancellationToken);

    /// <summary>Ceases to listen; a batch that is on its way may still be received.</summary>
    ValueTask StopListeningAsync(string roomId, CancellationToken cancellationToken);

    /// <summary>What is kept of a room and priority after a seq, oldest first, and where the room stands.</summary>
    /// <param name="roomId">The room.</param>
    /// <param name="priority">Which of its two sequences.</param>
    /// <param name="afterSeq">0 = from the oldest that is kept.</param>
    /// <param name="limit">At most so many: the newest.</param>
    /// <param name="notBeforeMs">None that was published earlier, by the store's clock; 0 = all.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    ValueTask<RoomReplay> ReadAsync(
        string roomId, RoomPriority priority, long afterSeq, int limit, long notBeforeMs, CancellationToken cancellationToken);
}
