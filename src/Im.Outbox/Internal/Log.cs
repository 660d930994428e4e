using Im.Protocol;
using Microsoft.Extensions.Logging;

namespace Im.Outbox.Internal;

/// <summary>Everything that Im.Outbox logs.</summary>
internal static partial class Log
{
    [LoggerMessage(EventIds.TableCreated, LogLevel.Information, "The outbox's table {Table} was created.")]
    public static partial void TableCreated(ILogger logger, string table);

    [LoggerMessage(EventIds.LeaseTaken, LogLevel.Information, "The outbox is relayed here, by {Owner}.")]
    public static partial void LeaseTaken(ILogger logger, string owner);

    [LoggerMessage(EventIds.LeaseEnded, LogLevel.Information, "The outbox is no longer relayed here, by {Owner}.")]
    public static partial void LeaseEnded(ILogger logger, string owner);

    [LoggerMessage(EventIds.DatabaseFailed, LogLevel.Error, "The outbox could not use the host's database; trying again in {Delay}.")]
    public static partial void DatabaseFailed(ILogger logger, TimeSpan delay, Exception exception);

    [LoggerMessage(EventIds.DatabaseBack, LogLevel.Information, "The outbox can use the host's database again.")]
    public static partial void DatabaseBack(ILogger logger);

    [LoggerMessage(EventIds.StopTimedOut, LogLevel.Warning, "The outbox's last call took longer than DrainTimeout ({Timeout}); what it sent is sent again at the next start and recognised.")]
    public static partial void StopTimedOut(ILogger logger, TimeSpan timeout);

    [LoggerMessage(EventIds.MessageRefused, LogLevel.Error, "Message {Id} of {SenderId} to {ConversationId} was refused and stays in the outbox's table, {Code}: {Reason}")]
    public static partial void MessageRefused(ILogger logger, string id, string senderId, string conversationId, ImErrorCode code, string reason);

    [LoggerMessage(EventIds.MessageHeldBack, LogLevel.Warning, "Message {Id} of {SenderId} to {ConversationId} could not be sent and is tried again, {Code}: {Reason}")]
    public static partial void MessageHeldBack(ILogger logger, string id, string senderId, string conversationId, ImErrorCode code, string reason);

    [LoggerMessage(EventIds.SendFailed, LogLevel.Error, "{Messages} messages of the outbox could not be sent; they are tried again.")]
    public static partial void SendFailed(ILogger logger, int messages, Exception exception);

    [LoggerMessage(EventIds.ServerUnavailable, LogLevel.Warning, "{Messages} messages of the outbox could not be stored now; they are tried again.")]
    public static partial void ServerUnavailable(ILogger logger, int messages);
}
