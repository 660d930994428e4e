using Im.Conversations;
using Im.Diagnostics;
using Im.Messaging;
using Im.Model;
using Im.Storage;
using Im.Users;
using Microsoft.Extensions.Options;

namespace Im.Data;

/// <summary>Takes old history to the committer, a few hundred messages at a time, in order.</summary>
internal sealed class HistoryImport(
    ConversationCache conversations,
    IConversationStore memberships,
    UserDirectory users,
    Committer committer,
    ImMetrics metrics,
    TimeProvider time,
    IOptions<ImServerOptions> options)
{
    private const int MessagesAtOnce = 500;

    public async ValueTask<IReadOnlyList<ImSendResult>> ImportAsync(
        string conversationId, IReadOnlyList<ImportedMessage> messages, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(conversationId);
        ArgumentNullException.ThrowIfNull(messages);
        await ThrowIfUnknownAsync(conversationId, cancellationToken);
        var senders = new Dictionary<string, bool>(StringComparer.Ordinal);
        var results = new List<ImSendResult>(messages.Count);
        foreach (var some in messages.Chunk(MessagesAtOnce))
        {
            var pending = new List<Task<ImSendResult>>(some.Length);
            foreach (var message in some)
            {
                var imported = ToPending(conversationId, message, results);
                pending.Add(imported.Result);
                if (await CheckAsync(conversationId, message, imported, senders, cancellationToken) is { } problem)
                {
                    imported.Refuse(problem.Code, problem.Message);
                }
                else
                {
                    await committer.SubmitAsync(imported, cancellationToken);
                }
            }

            results.AddRange(await Task.WhenAll(pending).WaitAsync(cancellationToken));
        }

        return results;
    }

    private async ValueTask ThrowIfUnknownAsync(string conversationId, CancellationToken cancellationToken)
    {
        if (ConversationId.IsOwn(conversationId) || await conversations.GetAsync(conversationId, cancellationToken) is not { } info)
        {
            throw new ImException(
                ImErrorCode.UnknownConversation, $"There is no conversation \"{conversationId}\". Create the group first, or use ConversationId.Direct(one, other).");
        }

        if (info.Group is null && await users.FindUnknownAsync(info.Members, cancellationToken) is { Count: > 0 } unknown)
        {
            throw new ImException(ImErrorCode.UnknownUser, $"There is no user \"{unknown[0]}\".");
        }
    }

    private async ValueTask<(ImErrorCode Code, string Message)?> CheckAsync(
        string conversationId, ImportedMessage message, HostMessage imported, Dictionary<string, bool> senders, CancellationToken cancellationToken)
    {
        if (!Ids.IsId(message.ClientMessageId))
        {
            return (ImErrorCode.InvalidArgument, $"ClientMessageId must be 1–{Ids.MaxBytes} bytes without control characters.");
        }

        if (message.TimeMs <= 0 || message.TimeMs > time.GetUtcNow().ToUnixTimeMilliseconds())
        {
            return (ImErrorCode.InvalidArgument, "TimeMs must be unix milliseconds, and not in the future.");
        }

        if (!senders.TryGetValue(message.SenderId, out var maySend))
        {
            senders[message.SenderId] = maySend = await MaySendAsync(conversationId, message.SenderId, cancellationToken);
        }

        return maySend
            ? ContentRules.Check(imported.Content, options.Value.MaxBodyBytes)
            : (ImErrorCode.NotAMember, $"\"{message.SenderId}\" is and was no member of \"{conversationId}\".");
    }

    // Erasing a user finds the messages by the user's stays, so there must be one.
    private async ValueTask<bool> MaySendAsync(string conversationId, string senderId, CancellationToken cancellationToken)
    {
        if (ConversationId.TryGetParties(conversationId, out var first, out var second))
        {
            return senderId == first || senderId == second;
        }

        return Ids.IsSystemSender(senderId)
            || (Ids.IsUserId(senderId) && (await memberships.GetMembershipsAsync(senderId, conversationId, cancellationToken)).Count > 0);
    }

    private HostMessage ToPending(string conversationId, ImportedMessage message, object origin)
    {
        var content = ContentMapping.ToWire(message.Content);
        return new HostMessage(metrics)
        {
            Origin = origin,
            IsImported = true,
            SenderId = message.SenderId,
            ClientMessageId = message.ClientMessageId,
            ConversationId = conversationId,
            Content = content,
            Hash = ContentMapping.Hash(conversationId, content, nonPersistent: false),
            Body = ContentMapping.ToBody(content),
            TimeMs = message.TimeMs,
        };
    }
}
