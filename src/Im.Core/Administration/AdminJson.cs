using System.Text.Json;
using System.Text.Json.Serialization;

namespace Im.Administration;

/// <summary>The JSON of the admin operations: between nodes, and over HTTP.</summary>
/// <remarks>Nodes of two neighbouring versions ask each other: what is added later must not be required, and be a value or nullable.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters =
    [
        typeof(CamelCase<AdminHealth>),
        typeof(CamelCase<AdminConnectionState>),
        typeof(CamelCase<AdminVerdict>),
        typeof(CamelCase<AdminRoute>),
        typeof(CamelCase<AdminDeviceState>),
        typeof(CamelCase<AdminNoticeOutcome>),
    ])]
[JsonSerializable(typeof(NoArguments))]
[JsonSerializable(typeof(AdminNode[]))]
[JsonSerializable(typeof(AdminNodeStatus))]
[JsonSerializable(typeof(ConnectionsRequest))]
[JsonSerializable(typeof(ConnectionsAnswer))]
[JsonSerializable(typeof(ConnectionRequest))]
[JsonSerializable(typeof(ConnectionAnswer))]
[JsonSerializable(typeof(PlacesRequest))]
[JsonSerializable(typeof(PlacesAnswer))]
[JsonSerializable(typeof(BroadcastRequest))]
[JsonSerializable(typeof(BroadcastAnswer))]
[JsonSerializable(typeof(AdminConnectionPage))]
[JsonSerializable(typeof(AdminConnectionDetail))]
[JsonSerializable(typeof(AdminOnlinePage))]
[JsonSerializable(typeof(AdminUser))]
[JsonSerializable(typeof(AdminBroadcast))]
[JsonSerializable(typeof(AdminGroup))]
[JsonSerializable(typeof(AdminMemberPage))]
[JsonSerializable(typeof(AdminTrace))]
internal sealed partial class AdminJson : JsonSerializerContext;

/// <summary>Enums by their names.</summary>
internal sealed class CamelCase<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
