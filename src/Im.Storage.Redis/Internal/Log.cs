using Microsoft.Extensions.Logging;

namespace Im.Storage.Redis.Internal;

/// <summary>Everything that Im.Storage.Redis logs.</summary>
internal static partial class Log
{
    [LoggerMessage(EventIds.Unavailable, LogLevel.Warning, "Redis does not answer ({Operation}). What needs it fails at once until it does; storing and local delivery go on.")]
    public static partial void Unavailable(ILogger logger, string operation, Exception? exception);

    [LoggerMessage(EventIds.Available, LogLevel.Information, "Redis answers again, after {Duration}.")]
    public static partial void Available(ILogger logger, TimeSpan duration);

    [LoggerMessage(EventIds.ConnectFailed, LogLevel.Warning, "A connection to Redis could not be made; trying again in {Delay}.")]
    public static partial void ConnectFailed(ILogger logger, TimeSpan delay, Exception exception);

    [LoggerMessage(EventIds.MessagesDropped, LogLevel.Warning, "{Count} messages of the {Queue} were dropped, since this node handles them too slowly.")]
    public static partial void MessagesDropped(ILogger logger, string queue, long count);

    [LoggerMessage(EventIds.ReceiverFailed, LogLevel.Error, "A message of the {Queue} could not be handled.")]
    public static partial void ReceiverFailed(ILogger logger, string queue, Exception exception);

    [LoggerMessage(EventIds.DamagedMessage, LogLevel.Warning, "A message in {Channel} could not be read. Do other applications use this KeyPrefix?")]
    public static partial void DamagedMessage(ILogger logger, string channel);

    [LoggerMessage(EventIds.SubscribeFailed, LogLevel.Debug, "The channels of this node could not be subscribed to; trying again in {Delay}.")]
    public static partial void SubscribeFailed(ILogger logger, TimeSpan delay, Exception exception);

    [LoggerMessage(EventIds.Replaced, LogLevel.Warning, "The connections to Redis have answered nothing for {Duration} and are replaced by new ones.")]
    public static partial void Replaced(ILogger logger, TimeSpan duration);

    [LoggerMessage(EventIds.Resubscribed, LogLevel.Warning, "{Count} subscriptions had been lost, and were made again. What was published meanwhile is found by the head check.")]
    public static partial void Resubscribed(ILogger logger, int count);
}
