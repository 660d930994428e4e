using System.Text.Json;
using System.Text.Json.Serialization;
using Im.Cluster;
using Im.Connections;
using Im.Protocol;

namespace Im.Presence;

/// <summary>Asks a node for a user's sessions, or to close them.</summary>
internal sealed record SessionsRequest(string UserId, string? DeviceId = null, int Code = 0, string Reason = "");

/// <summary>The JSON of questions between nodes about sessions.</summary>
[JsonSerializable(typeof(SessionsRequest))]
[JsonSerializable(typeof(ImSession[]))]
[JsonSerializable(typeof(int))]
internal sealed partial class SessionsJson : JsonSerializerContext;

/// <summary>Tells a user's sessions on this node.</summary>
internal sealed class ListSessions(SessionRegistry sessions, ClusterState state) : IClusterOperation
{
    public const string OperationName = "sessions.list";

    public string Name => OperationName;

    public ValueTask<byte[]> HandleAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var asked = JsonSerializer.Deserialize(request.Span, SessionsJson.Default.SessionsRequest)!;
        ImSession[] found =
        [
            .. sessions.Get(asked.UserId).ToArray().Select(session => new ImSession(
                session.Device,
                session.Connection.Id,
                session.Connection.Transport.Transport,
                session.Connection.Transport.RemoteAddress,
                session.SignedInMs,
                state.Node.Name)),
        ];
        return new(JsonSerializer.SerializeToUtf8Bytes(found, SessionsJson.Default.ImSessionArray));
    }
}

/// <summary>Closes a user's sessions on this node.</summary>
internal sealed class DisconnectSessions(SessionRegistry sessions) : IClusterOperation
{
    public const string OperationName = "sessions.disconnect";

    public string Name => OperationName;

    public ValueTask<byte[]> HandleAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var asked = JsonSerializer.Deserialize(request.Span, SessionsJson.Default.SessionsRequest)!;
        var count = 0;
        foreach (var session in sessions.Get(asked.UserId))
        {
            if (asked.DeviceId is null || session.Device.DeviceId == asked.DeviceId)
            {
                session.Connection.Close((ImCloseCode)asked.Code, asked.Reason);
                count++;
            }
        }

        return new(JsonSerializer.SerializeToUtf8Bytes(count, SessionsJson.Default.Int32));
    }
}
