using Microsoft.Extensions.Logging;

namespace Im.Diagnostics;

/// <content>The cluster.</content>
internal static partial class Log
{
    [LoggerMessage(EventIds.NotRegistered, LogLevel.Warning, "The session of connection {ConnectionId} could not be registered in the directory; it is tried again.")]
    public static partial void NotRegistered(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(EventIds.NotRemoved, LogLevel.Warning, "{Count} ended sessions could not be removed from the directory; the node takes a new epoch, which voids them.")]
    public static partial void NotRemoved(ILogger logger, int count, Exception exception);

    [LoggerMessage(EventIds.WaitingForName, LogLevel.Information, "The node name {Node} is held by another process; waiting for its lease to run out.")]
    public static partial void WaitingForName(ILogger logger, string node);

    [LoggerMessage(EventIds.DirectoryFailed, LogLevel.Warning, "The session directory cannot be reached. This node goes on alone; other nodes' entries come by the head check.")]
    public static partial void DirectoryFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.DirectoryIsBack, LogLevel.Information, "The session directory can be reached again.")]
    public static partial void DirectoryIsBack(ILogger logger);

    [LoggerMessage(EventIds.LeaseFailed, LogLevel.Error, "The lease could not be kept; it is tried again.")]
    public static partial void LeaseFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.Fenced, LogLevel.Critical, "Another process has taken the node name {Node}; this one stops. Give each process its own ImServerOptions.NodeName.")]
    public static partial void Fenced(ILogger logger, string node);

    [LoggerMessage(EventIds.Rejoined, LogLevel.Warning, "Node {Node} had lost its lease and goes on under epoch {Epoch}; its sessions are registered again.")]
    public static partial void Rejoined(ILogger logger, string node, long epoch);

    [LoggerMessage(EventIds.NodeJoined, LogLevel.Information, "Node {Node} is there, epoch {Epoch}.")]
    public static partial void NodeJoined(ILogger logger, string node, long epoch);

    [LoggerMessage(EventIds.NodeGone, LogLevel.Information, "Node {Node}, epoch {Epoch}, is gone.")]
    public static partial void NodeGone(ILogger logger, string node, long epoch);

    [LoggerMessage(EventIds.Reaped, LogLevel.Information, "What the dead node {Node}, epoch {Epoch}, had left was removed: {Sessions} sessions.")]
    public static partial void Reaped(ILogger logger, string node, long epoch, int sessions);

    [LoggerMessage(EventIds.ConnectionsNotEnded, LogLevel.Warning, "The storage connections of the dead node {Node} could not be ended.")]
    public static partial void ConnectionsNotEnded(ILogger logger, string node, Exception exception);

    [LoggerMessage(EventIds.BackplaneFailed, LogLevel.Warning, "Other nodes could not be told; they notice by the numbers, or by their head checks.")]
    public static partial void BackplaneFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.BackplaneIsBack, LogLevel.Information, "Other nodes can be told again.")]
    public static partial void BackplaneIsBack(ILogger logger);

    [LoggerMessage(EventIds.MessagesMissed, LogLevel.Information, "Messages of node {Node} were missed; the heads of all sessions are compared with the store.")]
    public static partial void MessagesMissed(ILogger logger, string node);

    [LoggerMessage(EventIds.MessageNotUnderstood, LogLevel.Error, "A message of another node could not be handled; the heads of all sessions are compared with the store.")]
    public static partial void MessageNotUnderstood(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.OperationFailed, LogLevel.Warning, "The operation {Operation} that node {Node} asked for failed.")]
    public static partial void OperationFailed(ILogger logger, string operation, string node, Exception exception);

    [LoggerMessage(EventIds.NodeDidNotAnswer, LogLevel.Warning, "Node {Node} did not answer {Operation}.")]
    public static partial void NodeDidNotAnswer(ILogger logger, string node, string operation, Exception exception);

    [LoggerMessage(EventIds.LeaveFailed, LogLevel.Warning, "The node could not leave the cluster in order; its lease runs out.")]
    public static partial void LeaveFailed(ILogger logger, Exception exception);
}
