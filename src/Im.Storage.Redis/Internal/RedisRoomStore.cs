using System.Collections.Concurrent;
using System.Globalization;
using Im.Cluster;
using Im.Protocol;
using Im.Rooms;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>Rooms: one script numbers, keeps and publishes, so that the order of a room is that in which Redis ran it. One publish serves all nodes.</summary>
internal sealed class RedisRoomStore(
    RedisConnection redis, RedisKeys keys, IOptions<ImRedisOptions> options, TimeProvider time, RedisMetrics metrics, ILogger<RedisRoomStore> logger)
    : IRoomStore, IAsyncDisposable, IDisposable
{
    // The rooms that this node listens to; the task is the subscription, which who asks meanwhile waits for too.
    private readonly ConcurrentDictionary<string, Lazy<Task>> _listening = new(StringComparer.Ordinal);
    private readonly int _channelPrefix = keys.RoomChannelName("").Length;
    private ReceiveQueue<RoomBatch>? _queue;
    private OrderRestorer<RoomBatch>? _order;

    public ValueTask StartAsync(Action<RoomBatch> receive, CancellationToken cancellationToken)
    {
        if (_queue is not null)
        {
            throw new InvalidOperationException("The room store was started already; start it once.");
        }

        var queue = _queue = new ReceiveQueue<RoomBatch>("rooms", options.Value.MaxQueuedMessages, receive, metrics, logger);
        _order = new OrderRestorer<RoomBatch>(queue.Add, options.Value.ReorderWait, time);
        return default;
    }

    public async ValueTask<RoomPosition> PublishAsync(
        string roomId, RoomPriority priority, IReadOnlyList<ReadOnlyMemory<byte>> messages, RoomReplayLimits keep, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfZero(messages.Count);
        var keepRoom = keep.Age > options.Value.KeepRoomsFor ? keep.Age : options.Value.KeepRoomsFor;
        var answer = (RedisResult[])(await redis.EvaluateAsync(
            RedisScript.RoomPublish,
            [keys.Room(roomId), keys.Replay(roomId, (int)priority)],
            [
                keys.RoomChannelName(roomId),
                (int)priority,
                // Two epochs that begin within a millisecond differ too, as where Redis was emptied and its clock set.
                Random.Shared.Next().ToString("x8", CultureInfo.InvariantCulture),
                keep.Messages,
                Records.Text((long)keep.Age.TotalMilliseconds),
                Records.Milliseconds(keepRoom),
                .. messages.Select(message => (RedisValue)message.ToArray()),
            ],
            cancellationToken).ConfigureAwait(false))!;
        return new RoomPosition((string)answer[0]!, Records.Number((string)answer[1]!));
    }

    public async ValueTask ListenAsync(string roomId, CancellationToken cancellationToken)
    {
        _ = _queue ?? throw new InvalidOperationException("The room store was not started; call StartAsync first.");
        var subscription = _listening.GetOrAdd(roomId, room => new Lazy<Task>(
            () => redis.SubscribeAsync("room-listen", keys.RoomChannel(room), Receive, CancellationToken.None)));
        try
        {
            await subscription.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ImClusterException)
        {
            // The next one tries again.
            _listening.TryRemove(KeyValuePair.Create(roomId, subscription));
            throw;
        }
    }

    public async ValueTask StopListeningAsync(string roomId, CancellationToken cancellationToken)
    {
        if (_listening.TryRemove(roomId, out _))
        {
            _order!.Forget(Source(roomId, RoomPriority.Normal));
            _order.Forget(Source(roomId, RoomPriority.High));
            await redis.UnsubscribeAsync("room-stop", keys.RoomChannel(roomId), cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask<RoomReplay> ReadAsync(
        string roomId, RoomPriority priority, long afterSeq, int limit, long notBeforeMs, CancellationToken cancellationToken)
    {
        var answer = (RedisResult[])(await redis.EvaluateAsync(
            RedisScript.RoomRead,
            [keys.Room(roomId), keys.Replay(roomId, (int)priority)],
            [(int)priority, afterSeq, limit, notBeforeMs],
            cancellationToken).ConfigureAwait(false))!;
        return new RoomReplay(
            new RoomPosition((string)answer[0]!, Records.Number((string)answer[1]!)),
            Records.Number((string)answer[2]!),
            [.. answer.Skip(3).Select(message => (ReadOnlyMemory<byte>)(byte[])message!)]);
    }

    public async ValueTask DisposeAsync()
    {
        _order?.Dispose();
        if (_queue is { } queue)
        {
            await queue.StopAsync().ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _order?.Dispose();
        _ = _queue?.StopAsync();
    }

    private static string Source(string roomId, RoomPriority priority) => priority == RoomPriority.High ? "h" + roomId : "n" + roomId;

    private void Receive(RedisChannel channel, RedisValue message)
    {
        var name = (string)channel!;
        var roomId = name[_channelPrefix..];
        if (RoomMessages.TryRead(roomId, (byte[])message!) is not { } batch)
        {
            Log.DamagedMessage(logger, name);
        }
        else if (_listening.ContainsKey(roomId))
        {
            _order!.Add(Source(roomId, batch.Priority), batch.Epoch, batch.FirstSeq, batch.Messages.Count, batch);
        }
    }
}
