using Im.Diagnostics;
using Im.Protocol;
using Microsoft.Extensions.Logging;

namespace Im.Rooms;

/// <summary>What rooms log.</summary>
internal static partial class RoomLog
{
    [LoggerMessage(EventIds.RoomStoreFailed, LogLevel.Warning, "The store of rooms failed to {Operation} (room {RoomId}), and {Others} times since the last such line; clients are told to try again.")]
    public static partial void StoreFailed(ILogger logger, string operation, string roomId, int others, Exception exception);

    [LoggerMessage(EventIds.RoomBatchFailed, LogLevel.Error, "Messages of room {RoomId} could not be handed to its subscribers; they see a gap.")]
    public static partial void BatchFailed(ILogger logger, string roomId, Exception exception);

    [LoggerMessage(EventIds.RoomAnswerFailed, LogLevel.Error, "The sender of a message to room {RoomId} could not be answered.")]
    public static partial void AnswerFailed(ILogger logger, string roomId, Exception exception);

    [LoggerMessage(EventIds.RoomPublishFailed, LogLevel.Error, "{Messages} messages to room {RoomId} ({Priority}) could not be published; their senders are told.")]
    public static partial void PublishFailed(ILogger logger, int messages, string roomId, RoomPriority priority, Exception exception);

    [LoggerMessage(EventIds.RoomRetireFailed, LogLevel.Error, "Room {RoomId} without subscribers could not be let go; it is tried again.")]
    public static partial void RetireFailed(ILogger logger, string roomId, Exception exception);
}
