using System.Text.Json.Serialization;

namespace Im.Administration.Internal;

/// <summary>The nodes.</summary>
internal sealed record NodesAnswer(IReadOnlyList<AdminNode> Nodes);

/// <summary>What goes on in the nodes that answered.</summary>
internal sealed record StatusAnswer(IReadOnlyList<AdminNodeStatus> Nodes, IReadOnlyList<string> SilentNodes);

// What need not be sent is settable: an init property that is left out would become null, whatever its default is.

/// <summary>How to close a connection.</summary>
internal sealed record CloseBody
{
    /// <summary>The close code.</summary>
    public int Code { get; set; } = (int)ImCloseCode.Disconnected;

    /// <summary>The client is told it.</summary>
    public string Reason { get; set; } = "";
}

/// <summary>How to close a user's sessions, and of which device.</summary>
internal sealed record CloseUserBody
{
    /// <summary>The device; null = all.</summary>
    public string? DeviceId { get; set; }

    /// <summary>The close code.</summary>
    public int Code { get; set; } = (int)ImCloseCode.Disconnected;

    /// <summary>The client is told it.</summary>
    public string Reason { get; set; } = "";
}

/// <summary>How many sessions were closed.</summary>
internal sealed record ClosedAnswer(int Sessions);

/// <summary>What a message says.</summary>
internal sealed record ContentBody
{
    public string ContentType { get; set; } = "text";

    public string Text { get; set; } = "";

    public byte[]? Data { get; set; }

    public IReadOnlyList<string> Mentions { get; set; } = [];
}

/// <summary>A message to one user, to several, or into a conversation.</summary>
internal sealed record MessageBody
{
    public required string SenderId { get; init; }

    public string? ToUserId { get; set; }

    public IReadOnlyList<string>? ToUserIds { get; set; }

    public string? ConversationId { get; set; }

    public required ContentBody Content { get; init; }

    public string? ClientMessageId { get; set; }

    public bool NonPersistent { get; set; }
}

/// <summary>Messages, in order.</summary>
internal sealed record MessagesBody
{
    public required IReadOnlyList<MessageBody> Messages { get; init; }
}

/// <summary>What became of a message.</summary>
internal sealed record MessageAnswer(
    string? ToUserId, string ConversationId, string ClientMessageId, string Outcome, long Seq, long TimeMs, string Code, string Message);

/// <summary>What became of the messages, in order.</summary>
internal sealed record MessagesAnswer(IReadOnlyList<MessageAnswer> Results);

/// <summary>A message to everybody.</summary>
internal sealed record EverybodyBody
{
    public required string SenderId { get; init; }

    public required ContentBody Content { get; init; }
}

/// <summary>An error (RFC 9457). The title is its name, for programs; the detail is for people and says what to do.</summary>
internal sealed record AdminProblem(string Type, string Title, int Status, string Detail);

/// <summary>The JSON that only HTTP has.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    Converters = [typeof(CamelCase<AdminHealth>)])]
[JsonSerializable(typeof(NodesAnswer))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(CloseBody))]
[JsonSerializable(typeof(CloseUserBody))]
[JsonSerializable(typeof(ClosedAnswer))]
[JsonSerializable(typeof(MessagesBody))]
[JsonSerializable(typeof(MessagesAnswer))]
[JsonSerializable(typeof(EverybodyBody))]
[JsonSerializable(typeof(AdminProblem))]
internal sealed partial class AdminHttpJson : JsonSerializerContext;
