using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Im.Cluster;
using Im.Connections;

namespace Im.Presence;

/// <summary>Asks a node who follows a conversation's own timeline there.</summary>
internal sealed record OnlineReadersRequest(string ConversationId, int Limit);

/// <summary>The JSON of questions between nodes about presence.</summary>
[JsonSerializable(typeof(OnlineReadersRequest))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class PresenceJson : JsonSerializerContext;

/// <summary>Tells who follows a conversation on this node: some of the members who are online, without a look at all members.</summary>
internal sealed class OnlineReaders(ConversationReaders readers) : IClusterOperation
{
    public const string OperationName = "presence.readers";

    public string Name => OperationName;

    public ValueTask<byte[]> HandleAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var asked = JsonSerializer.Deserialize(request.Span, PresenceJson.Default.OnlineReadersRequest)!;
        string[] userIds = [];
        if (readers.Rent(asked.ConversationId, out var count) is { } rented)
        {
            userIds = [.. rented.Take(count).Select(session => session.UserId).Distinct(StringComparer.Ordinal).Take(asked.Limit)];
            ArrayPool<Session>.Shared.Return(rented, clearArray: true);
        }

        return new(JsonSerializer.SerializeToUtf8Bytes(userIds, PresenceJson.Default.StringArray));
    }
}
