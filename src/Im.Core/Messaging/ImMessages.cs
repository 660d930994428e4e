using Im.Diagnostics;
using Im.Messaging.Queue;
using Im.Model;
using Im.Storage;
using Im.Users;

namespace Im.Messaging;

/// <summary>The host's sends, through the same pipeline as the clients'.</summary>
internal sealed class ImMessages(SendPipeline pipeline, SendQueue queue, UserDirectory users, ImMetrics metrics) : IImMessages
{
    public async ValueTask<ImSendResult> SendAsync(OutgoingMessage message, CancellationToken cancellationToken = default) =>
        (await SendAsync([message], cancellationToken))[0];

    public async ValueTask<IReadOnlyList<ImSendResult>> SendAsync(
        IReadOnlyList<OutgoingMessage> messages, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var senders = messages.Select(message => message.SenderId).Where(Ids.IsUserId).ToHashSet(StringComparer.Ordinal);
        var unknown = (await users.FindUnknownAsync(senders, cancellationToken)).ToHashSet(StringComparer.Ordinal);

        // Submitted one after the other, so their order is kept; committed together where they meet.
        var results = new Task<ImSendResult>[messages.Count];
        for (var i = 0; i < results.Length; i++)
        {
            var message = messages[i];
            var pending = ToPending(message, results);
            pending.Passage = message.NonPersistent ? null : await queue.EnterAsync(cancellationToken);
            results[i] = pending.Result;
            if (!senders.Contains(message.SenderId) && !Ids.IsSystemSender(message.SenderId))
            {
                pending.Refuse(ImErrorCode.InvalidArgument, $"SenderId must be a user's id, or a name that begins with '{ConversationId.SystemPrefix}' for a system sender.");
            }
            else if (unknown.Contains(message.SenderId))
            {
                pending.Refuse(ImErrorCode.UnknownUser, $"There is no user \"{message.SenderId}\".");
            }
            else
            {
                await SubmitAsync(pending, cancellationToken);
            }
        }

        return await Task.WhenAll(results).WaitAsync(cancellationToken);
    }

    private async ValueTask SubmitAsync(HostMessage message, CancellationToken cancellationToken)
    {
        try
        {
            if (message.Passage is not { IsQueued: true })
            {
                await pipeline.SubmitAsync(message, cancellationToken);
            }
            else if (await pipeline.CheckAsync(message, cancellationToken))
            {
                await queue.AddAsync(message, cancellationToken);
            }
        }
        catch (ImStorageException)
        {
            // One that is not stored; the other messages of the list keep their results.
            message.Refuse(CommitFailure.Unavailable.Code, CommitFailure.Unavailable.Message);
        }
        catch
        {
            // Nobody answers it any more.
            message.Passage?.Dispose();
            throw;
        }
    }

    private HostMessage ToPending(OutgoingMessage message, object origin) => new(metrics)
    {
        Origin = origin,
        SenderId = message.SenderId,
        ClientMessageId = message.ClientMessageId ?? Guid.NewGuid().ToString("N"),
        TargetConversationId = message.ConversationId ?? "",
        TargetUserId = message.ToUserId ?? "",
        Content = ContentMapping.ToWire(message.Content),
        NonPersistent = message.NonPersistent,
        Activity = ImActivitySource.StartSend(System.Diagnostics.Activity.Current?.Id ?? "", message.SenderId, 0),
    };
}
