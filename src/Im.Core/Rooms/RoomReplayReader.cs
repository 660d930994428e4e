using Im.Cluster;
using Im.Protocol;
using Microsoft.Extensions.Options;

namespace Im.Rooms;

/// <summary>Reads where a subscription begins: the room's heads, and what is kept before them and asked for.</summary>
/// <remarks>
/// Call it when the subscription is in its room and the node listens: what is published after the read is offered to it, what is offered and was read
/// too it knows by the heads. Without anything to replay the store is not asked.
/// </remarks>
internal sealed class RoomReplayReader(IRoomStore store, TimeProvider time, RoomMetrics metrics, IOptions<ImRoomOptions> options)
{
    // An epoch that changes under the read is rare, and twice in a row is a store that loses everything all the time.
    private const int MaxReads = 4;

    private readonly ImRoomOptions _options = options.Value;

    public async ValueTask<RoomStart> ReadAsync(Room room, SubscribeRoom request, CancellationToken cancellationToken)
    {
        var heads = room.Heads;
        for (var reads = 0; reads < MaxReads; reads++)
        {
            if (!AsksForReplay(request, heads))
            {
                return new RoomStart(heads, []);
            }

            var high = await ReadAsync(room, RoomPriority.High, request, heads, cancellationToken);
            var normal = await ReadAsync(room, RoomPriority.Normal, request, heads, cancellationToken);
            if (high.Head.Epoch == heads.Epoch && normal.Head.Epoch == heads.Epoch)
            {
                var start = new List<RoomPayload>();
                Split(start, room, heads, RoomPriority.High, high);
                Split(start, room, heads, RoomPriority.Normal, normal);
                metrics.Replayed(high.Messages.Count + normal.Messages.Count);
                return new RoomStart(heads with { High = high.Head.Seq, Normal = normal.Head.Seq }, start);
            }

            heads = room.Adopt(heads, normal.Head.Epoch);
        }

        throw new ImClusterException($"The room \"{room.Id}\" began to count anew {MaxReads} times while it was read.");
    }

    private ValueTask<RoomReplay> ReadAsync(
        Room room, RoomPriority priority, SubscribeRoom request, RoomHeads heads, CancellationToken cancellationToken)
    {
        if (FindCursor(request, heads, priority) is { } cursor)
        {
            return store.ReadAsync(room.Id, priority, cursor, _options.ReplayMessages, 0, cancellationToken);
        }

        var limit = request.ReplayMessages > 0 ? Math.Min(request.ReplayMessages, _options.ReplayMessages) : request.ReplayMs > 0 ? _options.ReplayMessages : 0;
        var notBefore = request.ReplayMs > 0 ? Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - request.ReplayMs) : 0;
        return store.ReadAsync(room.Id, priority, 0, limit, notBefore, cancellationToken);
    }

    private static bool AsksForReplay(SubscribeRoom request, RoomHeads heads) =>
        request.ReplayMessages > 0 || request.ReplayMs > 0 || (request.Cursors.Count > 0 && request.Epoch == heads.Epoch);

    // Several cursors of one priority: the last one counts.
    private static long? FindCursor(SubscribeRoom request, RoomHeads heads, RoomPriority priority)
    {
        long? found = null;
        if (request.Epoch == heads.Epoch)
        {
            foreach (var cursor in request.Cursors)
            {
                if (cursor.Priority == priority || (cursor.Priority == RoomPriority.Unspecified && priority == RoomPriority.Normal))
                {
                    found = cursor.RoomSeq;
                }
            }
        }

        return found;
    }

    // Pushes as large as live ones, so that a replay that is too large for the queue loses its oldest part only.
    private void Split(List<RoomPayload> pushes, Room room, RoomHeads heads, RoomPriority priority, RoomReplay replay)
    {
        var messages = replay.Messages;
        for (var first = 0; first < messages.Count;)
        {
            var count = 0;
            long bytes = 0;
            while (first + count < messages.Count
                && count < _options.MaxBatchMessages
                && (count == 0 || bytes + messages[first + count].Length <= _options.MaxBatchBytes))
            {
                bytes += messages[first + count].Length;
                count++;
            }

            pushes.Add(new RoomPayload(room, heads.EpochNumber, heads.Epoch, priority, replay.FirstSeq + first, messages, first, count));
            first += count;
        }
    }
}
