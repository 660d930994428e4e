using Im.Client;
using Im.Protocol;

namespace Im.ModelTests;

/// <summary>One message that a device sends until it has an answer, over restarts of the process. The device's send lock protects it.</summary>
internal sealed class Outgoing
{
    public required Device Device { get; init; }

    /// <summary>Its place among the device's own messages; 0 = a resend of somebody else's, which has none.</summary>
    public required long Order { get; init; }

    public required string ConversationId { get; init; }

    /// <summary>Set where it is addressed to a user.</summary>
    public string? ToUserId { get; init; }

    public required string Id { get; init; }

    public required Content Content { get; init; }

    /// <summary>What must come out, as far as nothing else has happened meanwhile.</summary>
    public Action<Outgoing>? Check { get; init; }

    public ImSendAck? Ack { get; set; }

    public ImClientException? Refusal { get; set; }

    public bool IsDone => Ack is not null || Refusal is not null;

    public ImMessage ToMessage() => new()
    {
        Target = ToUserId is null ? ImTarget.Conversation(ConversationId) : ImTarget.User(ToUserId),
        Content = Content,
        ClientMessageId = Id,
    };

    public override string ToString() => $"{Device.Name} #{Order} {Id} to {ConversationId}: {Ack?.ToString() ?? Refusal?.Code.ToString() ?? "no answer"}";
}
