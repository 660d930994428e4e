using Microsoft.Extensions.Logging;

namespace Im.Diagnostics;

/// <content>What an operator did.</content>
internal static partial class Log
{
    [LoggerMessage(EventIds.AdminClosed, LogLevel.Information, "Connection {ConnectionId} of node {Node} was closed by an operator with {Code}: {Reason}")]
    public static partial void AdminClosed(ILogger logger, string node, string connectionId, ImCloseCode code, string reason);

    [LoggerMessage(EventIds.AdminSentToAll, LogLevel.Information, "A message of {SenderId} was handed to {Sessions} sessions of all nodes; {Dropped} had no room.")]
    public static partial void AdminSentToAll(ILogger logger, string senderId, int sessions, int dropped);
}
