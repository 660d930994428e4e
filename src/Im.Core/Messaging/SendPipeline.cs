using System.Diagnostics.CodeAnalysis;
using Im.Cluster;
using Im.Conversations;
using Im.Diagnostics;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Users;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Messaging;

/// <summary>The way of a message from its sender to the committer: check the fields, the rate, the target, ask the interceptors.</summary>
/// <remarks>
/// A sender's connection sends one message after the other through here, so order is kept; nothing is awaited in the common case. Before a
/// refusal for anything but the fields themselves the store is asked whether the message was stored already: then it gets its first answer.
/// </remarks>
internal sealed class SendPipeline(
    ConversationCache conversations,
    UserDirectory users,
    Interceptors interceptors,
    Committer committer,
    SignalRelay relay,
    IMessageStore store,
    ClusterState cluster,
    TimeProvider time,
    IOptions<ImServerOptions> options,
    ILogger<SendPipeline> logger)
{
    private readonly ImServerOptions _options = options.Value;

    /// <summary>Ends when the message is answered or handed to the committer, which answers it later.</summary>
    public async ValueTask SubmitAsync(PendingMessage message, CancellationToken cancellationToken)
    {
        if (!Begin(message))
        {
            return;
        }

        try
        {
            await CheckAndSubmitAsync(message, cancellationToken);
        }
        catch (ImStorageException exception) when (!message.NonPersistent)
        {
            Log.ReloadFailed(logger, message.ConversationId, exception);
            message.IsDoomed = true;
            await committer.SubmitAsync(message, cancellationToken);
        }
    }

    /// <summary>
    /// Checks what can be checked long before the commit: the fields and the target. False: the message is answered. Interceptors and the sender's
    /// membership at the time of the commit are left to <see cref="SubmitAsync"/>.
    /// </summary>
    public async ValueTask<bool> CheckAsync(PendingMessage message, CancellationToken cancellationToken)
    {
        if (!Begin(message))
        {
            return false;
        }

        try
        {
            var (info, refusal) = await ResolveAsync(message, cancellationToken);
            if (info is not null)
            {
                return true;
            }

            await RefuseUnlessStoredAsync(message, refusal.Code, refusal.Message, cancellationToken);
        }
        catch (ImStorageException exception)
        {
            Log.ReloadFailed(logger, message.ConversationId, exception);
            message.Refuse(CommitFailure.Unavailable.Code, CommitFailure.Unavailable.Message);
        }

        return false;
    }

    private bool Begin(PendingMessage message)
    {
        if (CheckFields(message) is { } problem)
        {
            message.Refuse(problem.Code, problem.Message);
            return false;
        }

        message.ConversationId = message.TargetConversationId.Length > 0
            ? message.TargetConversationId
            : ConversationId.Direct(message.SenderId, message.TargetUserId);
        message.Hash = ContentMapping.Hash(message.ConversationId, message.Content, message.NonPersistent);
        return true;
    }

    private async ValueTask CheckAndSubmitAsync(PendingMessage message, CancellationToken cancellationToken)
    {
        if (!message.TryTakeRate())
        {
            await RefuseUnlessStoredAsync(message, ImErrorCode.RateLimited, $"More than {_options.MaxSendsPerSecond} messages a second; send again later.", cancellationToken);
            return;
        }

        var (info, refusal) = await ResolveAsync(message, cancellationToken);
        if (info is null)
        {
            await RefuseUnlessStoredAsync(message, refusal.Code, refusal.Message, cancellationToken);
            return;
        }

        if (interceptors.Any)
        {
            // A resend of a stored message is not shown to them again.
            if (!message.NonPersistent && await AnswerIfStoredAsync(message, cancellationToken))
            {
                return;
            }

            if (await interceptors.RunAsync(message, cancellationToken) is { } rejection)
            {
                message.Refuse(rejection.Code, rejection.Message);
                return;
            }
        }

        message.TimeMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (message.NonPersistent)
        {
            relay.Relay(message, info);
            return;
        }

        message.Body = ContentMapping.ToBody(message.Content);
        await committer.SubmitAsync(message, cancellationToken);
    }

    /// <summary>Whether the sender has to be looked up: it is a user, and the conversation a large group.</summary>
    public static bool MustFindSender(PendingMessage message, [NotNullWhen(true)] ConversationInfo? info) =>
        info is { HasMembers: false, Group.IsDissolved: false } && message.SenderVersion != info.Version && !Ids.IsSystemSender(message.SenderId);

    /// <summary>
    /// Whether the sender may write into the conversation, as it was last seen; the reason if not. A large group's sender was looked up before.
    /// </summary>
    public static (ImErrorCode Code, string Message)? CheckMembership(PendingMessage message, ConversationInfo? info)
    {
        if (info is null)
        {
            return (ImErrorCode.UnknownConversation, $"There is no conversation \"{message.ConversationId}\".");
        }

        if (info.Group is { IsDissolved: true })
        {
            return (ImErrorCode.Dissolved, "The group was dissolved.");
        }

        var isParty = info.Group is null
            ? ConversationId.TryGetParties(info.ConversationId, out var first, out var second) && (message.SenderId == first || message.SenderId == second)
            : Ids.IsSystemSender(message.SenderId) || (info.IsMember(message.SenderId) ?? message.SenderVersion == info.Version);
        return isParty ? null : (ImErrorCode.NotAMember, $"\"{message.SenderId}\" is not a member of \"{message.ConversationId}\".");
    }

    private (ImErrorCode Code, string Message)? CheckFields(PendingMessage message)
    {
        if (!Ids.IsId(message.ClientMessageId))
        {
            return (ImErrorCode.InvalidArgument, $"clientMessageId must be 1–{Ids.MaxBytes} bytes without control characters; use a random one for each message.");
        }

        if ((message.TargetConversationId.Length > 0) == (message.TargetUserId.Length > 0))
        {
            return (ImErrorCode.InvalidArgument, "Set conversationId or userId, and not both.");
        }

        if (message.TargetConversationId.Length > ConversationId.MaxBytes || ConversationId.IsOwn(message.TargetConversationId))
        {
            return (ImErrorCode.UnknownConversation, "Nothing can be sent to this conversationId.");
        }

        return ContentRules.Check(message.Content, _options.MaxBodyBytes);
    }

    private async ValueTask<(ConversationInfo? Info, (ImErrorCode Code, string Message) Refusal)> ResolveAsync(
        PendingMessage message, CancellationToken cancellationToken)
    {
        var (info, refused) = await FindAsync(message, await conversations.GetAsync(message.ConversationId, cancellationToken), cancellationToken);
        if (refused is not null && cluster.MayHavePeers)
        {
            // What is kept may be older than what another node has changed a moment ago.
            (info, refused) = await FindAsync(message, await conversations.ReloadAsync(message.ConversationId, cancellationToken), cancellationToken);
        }

        if (refused is { } refusal)
        {
            return (null, refusal);
        }

        if (info!.Group is null)
        {
            foreach (var member in info.Members)
            {
                if (member != message.SenderId && !users.IsKnown(member) && (await users.FindUnknownAsync([member], cancellationToken)).Count > 0)
                {
                    return (null, (ImErrorCode.UnknownUser, $"There is no user \"{member}\"."));
                }
            }

            if (info.Members.Length == 0 || (info.Members.Length == 1 && !Ids.IsSystemSender(message.SenderId) && info.Members[0] == message.SenderId && IsWithSystem(info)))
            {
                return (null, (ImErrorCode.UnknownUser, "Nothing can be sent to a system sender."));
            }
        }

        return (info, default);
    }

    private async ValueTask<(ConversationInfo? Info, (ImErrorCode Code, string Message)? Refusal)> FindAsync(
        PendingMessage message, ConversationInfo? info, CancellationToken cancellationToken)
    {
        if (MustFindSender(message, info))
        {
            info = await conversations.FindSenderAsync(info, message, isLane: false, cancellationToken);
        }

        return (info, CheckMembership(message, info));
    }

    private static bool IsWithSystem(ConversationInfo info) =>
        ConversationId.TryGetParties(info.ConversationId, out var first, out var second) && first != second;

    private async ValueTask RefuseUnlessStoredAsync(
        PendingMessage message, ImErrorCode code, string reason, CancellationToken cancellationToken)
    {
        if (message.NonPersistent || !await AnswerIfStoredAsync(message, cancellationToken))
        {
            message.Refuse(code, reason);
        }
    }

    private async ValueTask<bool> AnswerIfStoredAsync(PendingAppend message, CancellationToken cancellationToken)
    {
        var sent = (await store.FindSentAsync([new SentKey(message.SenderId, message.ClientMessageId)], cancellationToken))[0];
        if (sent is null)
        {
            return false;
        }

        message.Answer(SentAnswers.ToResult(sent, message.Hash));
        return true;
    }
}
