using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Im.Cluster;
using Im.Protocol;

namespace Im.Rooms;

/// <summary>Asks a node for a room's subscriptions there, or to end them.</summary>
internal sealed record RoomQuestion(string RoomId, string? UserId = null);

/// <summary>The JSON of questions between nodes about rooms.</summary>
[JsonSerializable(typeof(RoomQuestion))]
[JsonSerializable(typeof(int))]
internal sealed partial class RoomJson : JsonSerializerContext;

/// <summary>Tells how many connections of this node subscribe to a room.</summary>
internal sealed class CountRoomSubscribers(RoomRegistry rooms) : IClusterOperation
{
    public const string OperationName = "rooms.count";

    public string Name => OperationName;

    public ValueTask<byte[]> HandleAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var asked = JsonSerializer.Deserialize(request.Span, RoomJson.Default.RoomQuestion)!;
        return new(JsonSerializer.SerializeToUtf8Bytes(rooms.Find(asked.RoomId)?.Count ?? 0, RoomJson.Default.Int32));
    }
}

/// <summary>Ends subscriptions to a room on this node, and says how many.</summary>
internal sealed class RemoveRoomSubscribers(RoomRegistry rooms) : IClusterOperation
{
    public const string OperationName = "rooms.remove";

    public string Name => OperationName;

    public ValueTask<byte[]> HandleAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var asked = JsonSerializer.Deserialize(request.Span, RoomJson.Default.RoomQuestion)!;
        return new(JsonSerializer.SerializeToUtf8Bytes(Remove(asked), RoomJson.Default.Int32));
    }

    private int Remove(RoomQuestion asked)
    {
        var left = new SharedPacket(new ServerPacket { RoomLeft = new RoomLeft { RoomId = asked.RoomId } });
        var removed = 0;

        // First those that are being made: one that goes live before its turn is in the room by then.
        foreach (var subscription in rooms.Starting)
        {
            removed += End(subscription);
        }

        if (rooms.Find(asked.RoomId) is { } room)
        {
            var subscriptions = room.Rent(out var count);
            foreach (var subscription in subscriptions.AsSpan(0, count))
            {
                removed += End(subscription);
            }

            ArrayPool<RoomSubscription>.Shared.Return(subscriptions, clearArray: true);
        }

        return removed;

        int End(RoomSubscription subscription) =>
            subscription.RoomId == asked.RoomId
            && (asked.UserId is null || subscription.Session.UserId == asked.UserId)
            && subscription.Session.RemoveFromRoom(subscription, left) ? 1 : 0;
    }
}
