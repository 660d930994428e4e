using System.Text.Json;
using System.Text.Json.Serialization;
using Im.Model;

namespace Im.Outbox.Internal;

/// <summary>A message as it stands in its row. Fields are only ever added; what an older version does not know it ignores.</summary>
internal sealed class OutboxPayload
{
    public string SenderId { get; init; } = "";

    public string? ConversationId { get; init; }

    public string? ToUserId { get; init; }

    public string? ClientMessageId { get; init; }

    public string ContentType { get; init; } = "";

    public string? Text { get; init; }

    public byte[]? Data { get; init; }

    public string[]? Mentions { get; init; }

    /// <summary>JSON in ASCII: the encoder escapes everything else.</summary>
    public static string Write(OutgoingMessage message)
    {
        var content = message.Content;
        var payload = new OutboxPayload
        {
            SenderId = message.SenderId,
            ConversationId = message.ConversationId,
            ToUserId = message.ToUserId,
            ClientMessageId = message.ClientMessageId,
            ContentType = content.ContentType,
            Text = content.Text.Length == 0 ? null : content.Text,
            Data = content.Data.IsEmpty ? null : content.Data.ToArray(),
            Mentions = content.Mentions.IsDefaultOrEmpty ? null : [.. content.Mentions],
        };
        return JsonSerializer.Serialize(payload, OutboxJson.Default.OutboxPayload);
    }

    /// <summary>The message of a row; throws <see cref="JsonException"/> for what is no payload.</summary>
    public static OutgoingMessage Read(string id, string json)
    {
        var payload = JsonSerializer.Deserialize(json, OutboxJson.Default.OutboxPayload) ?? throw new JsonException("The payload is null.");
        return new OutgoingMessage
        {
            SenderId = payload.SenderId ?? "",
            ConversationId = payload.ConversationId,
            ToUserId = payload.ToUserId,
            ClientMessageId = payload.ClientMessageId ?? id,
            Content = new MessageContent
            {
                ContentType = payload.ContentType ?? "",
                Text = payload.Text ?? "",
                Data = payload.Data,
                Mentions = payload.Mentions is null ? [] : [.. payload.Mentions.Where(mention => mention is not null)],
            },
        };
    }
}

/// <summary>Generated, so it works in trimmed apps.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OutboxPayload))]
internal sealed partial class OutboxJson : JsonSerializerContext;
