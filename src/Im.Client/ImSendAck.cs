using Im.Protocol;

namespace Im.Client;

/// <summary>The server's answer to a send: the message is stored, or was handed to who is online.</summary>
/// <param name="Result"><see cref="SendResult.Stored"/>, <see cref="SendResult.Duplicate"/> (stored before; the other values are the original ones) or <see cref="SendResult.Relayed"/>.</param>
/// <param name="ConversationId">The conversation.</param>
/// <param name="ConversationSeq">The message's position; 0 for a relayed one.</param>
/// <param name="Time">The server's time of the message.</param>
/// <param name="ClientMessageId">The id that it was sent with.</param>
public sealed record ImSendAck(
    SendResult Result, string ConversationId, long ConversationSeq, DateTimeOffset Time, string ClientMessageId);
