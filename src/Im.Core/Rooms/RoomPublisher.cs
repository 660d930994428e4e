using System.Collections.Concurrent;
using Im.Cluster;
using Im.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Rooms;

/// <summary>Takes the messages of this node to the store of rooms, in batches of one room and priority.</summary>
internal sealed class RoomPublisher(
    IRoomStore store,
    RoomStoreFailures failures,
    RoomMetrics metrics,
    ServerLifetime lifetime,
    TimeProvider time,
    IOptions<ImRoomOptions> options,
    ILogger<RoomPublisher> logger)
{
    private readonly ConcurrentDictionary<(string RoomId, RoomPriority Priority), RoomLane> _lanes = new();
    private readonly RoomReplayLimits _keep = new(options.Value.ReplayMessages, options.Value.ReplayAge);

    /// <summary>Ends when the message has its place in the queue; it is answered later.</summary>
    public async ValueTask SubmitAsync(string roomId, RoomPriority priority, PendingRoomMessage message, CancellationToken cancellationToken)
    {
        while (true)
        {
            var key = (roomId, priority);
            var lane = _lanes.GetOrAdd(key, static (key, self) => self.Create(key), this);
            if (await lane.TryAddAsync(message, cancellationToken))
            {
                return;
            }

            _lanes.TryRemove(KeyValuePair.Create(key, lane));
        }
    }

    /// <summary>Lets go of lanes that were not used since the last call.</summary>
    public void RetireIdle()
    {
        foreach (var pair in _lanes)
        {
            if (pair.Value.TryRetire())
            {
                _lanes.TryRemove(pair);
            }
        }
    }

    /// <summary>Publishes a lane's batch and answers the senders; never throws.</summary>
    public async ValueTask PublishAsync(string roomId, RoomPriority priority, List<PendingRoomMessage> batch)
    {
        var startedAt = time.GetTimestamp();
        RoomPosition first = default;
        ImException? refusal = null;
        try
        {
            first = await store.PublishAsync(roomId, priority, batch.ConvertAll(message => message.Bytes), _keep, lifetime.Stopping);
            metrics.Published(priority, batch.Count, time.GetElapsedTime(startedAt));
        }
        catch (ImClusterException exception)
        {
            refusal = failures.Report("publish", roomId, exception);
        }
        catch (OperationCanceledException exception) when (lifetime.Stopping.IsCancellationRequested)
        {
            refusal = new ImException(ImErrorCode.ShuttingDown, "The server is shutting down; reconnect and try again.", exception);
        }
        catch (Exception exception)
        {
            RoomLog.PublishFailed(logger, batch.Count, roomId, priority, exception);
            refusal = new ImException(ImErrorCode.Internal, "The server failed to publish the message; its log has the details.", exception);
        }

        for (var i = 0; i < batch.Count; i++)
        {
            Answer(roomId, batch[i], first with { Seq = first.Seq + i }, refusal);
        }
    }

    private void Answer(string roomId, PendingRoomMessage message, RoomPosition position, ImException? refusal)
    {
        try
        {
            if (refusal is null)
            {
                message.Sent(position);
            }
            else
            {
                message.Refuse(refusal);
            }
        }
        catch (Exception exception)
        {
            RoomLog.AnswerFailed(logger, roomId, exception);
        }
    }

    private RoomLane Create((string RoomId, RoomPriority Priority) key) => new(key.RoomId, key.Priority, this, options.Value);
}
