using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Rooms;

/// <summary>The rooms that have subscribers on this node.</summary>
/// <remarks>Thread-safe. One loop lets go of rooms and publishers that nobody needs any more, instead of a timer for each.</remarks>
internal sealed class RoomRegistry(
    IRoomStore store, RoomPublisher publisher, RoomMetrics metrics, TimeProvider time, IOptions<ImRoomOptions> options, ILogger<RoomRegistry> logger) : IServerLoop
{
    private readonly ConcurrentDictionary<string, Room> _rooms = new(StringComparer.Ordinal);

    // A set; at most one of each connection.
    private readonly ConcurrentDictionary<RoomSubscription, bool> _starting = new();

    /// <summary>How many rooms this node knows; for tests.</summary>
    public int Count => _rooms.Count;

    public ValueTask StartAsync(CancellationToken cancellationToken) => store.StartAsync(Receive, cancellationToken);

    /// <summary>The room, if it has, or had a moment ago, subscribers on this node.</summary>
    public Room? Find(string roomId) => _rooms.GetValueOrDefault(roomId);

    /// <summary>The subscriptions that are being made, whether the policy has allowed them yet or not.</summary>
    public IEnumerable<RoomSubscription> Starting => _starting.Select(one => one.Key);

    /// <summary>Call it before the policy is asked: whoever is removed from then on is found, either here or in the room.</summary>
    public void Begin(RoomSubscription subscription) => _starting.TryAdd(subscription, true);

    /// <summary>The subscription was answered: live, or refused and in no room.</summary>
    public void End(RoomSubscription subscription) => _starting.TryRemove(subscription, out _);

    /// <summary>Adds a subscription to its room: from then on it is offered what is published.</summary>
    public Room Add(RoomSubscription subscription)
    {
        while (true)
        {
            var room = _rooms.GetOrAdd(subscription.RoomId, static (id, self) => self.Create(id), this);
            subscription.Room = room;
            if (room.TryAdd(subscription))
            {
                return room;
            }

            // It was just retired; whoever did that takes it out too.
            _rooms.TryRemove(KeyValuePair.Create(room.Id, room));
        }
    }

    public string Name => "rooms";

    /// <summary>Lets go of what nobody needs, until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.Value.LingerTime / 2, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                publisher.RetireIdle();
                foreach (var (_, room) in _rooms)
                {
                    await RetireAsync(room, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown.
        }
    }

    private async ValueTask RetireAsync(Room room, CancellationToken cancellationToken)
    {
        try
        {
            if (await room.TryRetireAsync(options.Value.LingerTime, cancellationToken))
            {
                _rooms.TryRemove(KeyValuePair.Create(room.Id, room));
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            RoomLog.RetireFailed(logger, room.Id, exception);
        }
    }

    private Room Create(string id) => new(id, store, metrics, time);

    private void Receive(RoomBatch batch)
    {
        try
        {
            Find(batch.RoomId)?.Receive(batch);
        }
        catch (Exception exception)
        {
            RoomLog.BatchFailed(logger, batch.RoomId, exception);
        }
    }
}
