using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Im.Model;
using Im.Protocol;

namespace Im.Administration.Internal;

/// <summary>Calls that send, and that look for what was sent.</summary>
internal static class MessageCalls
{
    public static async Task SendAsync(AdminCall call)
    {
        var body = call.Body(AdminHttpJson.Default.MessagesBody);
        OutgoingMessage[] messages = [.. body.Messages.SelectMany(Expand).Take(call.Options.MaxMessagesPerCall + 1)];
        if (messages.Length > call.Options.MaxMessagesPerCall)
        {
            throw AdminProblemException.BadArgument(
                string.Create(CultureInfo.InvariantCulture, $"One call sends at most {call.Options.MaxMessagesPerCall} messages, one to several users counted for each (ImAdminOptions.MaxMessagesPerCall)."));
        }

        if (messages.Length == 0)
        {
            throw AdminProblemException.BadArgument("messages is empty.");
        }

        var results = await call.Server.Messages.SendAsync(messages, call.Aborted);
        await call.AnswerAsync(new MessagesAnswer([.. results.Select((result, i) => ToAnswer(messages[i], result))]), AdminHttpJson.Default.MessagesAnswer);
    }

    public static async Task SendToAllAsync(AdminCall call)
    {
        var body = call.Body(AdminHttpJson.Default.EverybodyBody);
        await call.AnswerAsync(await call.Admin.SendToAllAsync(body.SenderId, ToContent(body.Content), call.Aborted), AdminJson.Default.AdminBroadcast);
    }

    public static async Task TraceAsync(AdminCall call)
    {
        var query = new AdminTraceQuery
        {
            UserId = call.Text("userId") ?? throw AdminProblemException.BadArgument("userId is missing: who should have got the message?"),
            ConversationId = call.Text("conversationId"),
            Seq = call.Number("seq"),
            SenderId = call.Text("senderId"),
            ClientMessageId = call.Text("clientMessageId"),
        };
        await call.AnswerAsync(await call.Admin.TraceAsync(query, call.Aborted), AdminJson.Default.AdminTrace);
    }

    private static IEnumerable<OutgoingMessage> Expand(MessageBody message)
    {
        var targets = (message.ToUserId is null ? 0 : 1) + (message.ToUserIds is null ? 0 : 1) + (message.ConversationId is null ? 0 : 1);
        if (targets != 1)
        {
            throw AdminProblemException.BadArgument("Each message has exactly one of toUserId, toUserIds and conversationId.");
        }

        var outgoing = new OutgoingMessage
        {
            SenderId = message.SenderId,
            ConversationId = message.ConversationId,
            ToUserId = message.ToUserId,
            Content = ToContent(message.Content),
            ClientMessageId = message.ClientMessageId,
            NonPersistent = message.NonPersistent,
        };
        return message.ToUserIds is null
            ? [outgoing]
            : message.ToUserIds.Distinct(StringComparer.Ordinal).Select(userId => outgoing with { ToUserId = userId, ClientMessageId = IdFor(message.ClientMessageId, userId) });
    }

    // Each of the messages has an id of its own, and the same one where the call is repeated, in whatever order the users are.
    private static string? IdFor(string? clientMessageId, string userId) =>
        clientMessageId is null ? null : $"{clientMessageId}.{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(userId)).AsSpan(0, 8))}";

    private static MessageContent ToContent(ContentBody content) =>
        new() { ContentType = content.ContentType, Text = content.Text, Data = content.Data, Mentions = [.. content.Mentions] };

    private static MessageAnswer ToAnswer(OutgoingMessage message, ImSendResult result) => new(
        message.ToUserId,
        result.ConversationId,
        result.ClientMessageId,
        JsonNamingPolicy.CamelCase.ConvertName(result.Outcome.ToString()),
        result.Seq.Value,
        result.TimeMs,
        result.Code == ImErrorCode.None ? "" : ImErrorCodes.GetName(result.Code),
        result.Message);
}
