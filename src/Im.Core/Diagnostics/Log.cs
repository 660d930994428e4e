using Im.Protocol;
using Microsoft.Extensions.Logging;

namespace Im.Diagnostics;

/// <summary>Everything that Im.Core logs.</summary>
internal static partial class Log
{
    [LoggerMessage(EventIds.Started, LogLevel.Information, "IM node {Node} accepts connections over {Transports}; store generation {Generation}.")]
    public static partial void Started(ILogger logger, string node, string transports, string generation);

    [LoggerMessage(EventIds.Draining, LogLevel.Information, "IM node {Node} is draining {Connections} connections.")]
    public static partial void Draining(ILogger logger, string node, int connections);

    [LoggerMessage(EventIds.Stopped, LogLevel.Information, "IM node {Node} has stopped.")]
    public static partial void Stopped(ILogger logger, string node);

    [LoggerMessage(EventIds.DrainTimedOut, LogLevel.Warning, "Draining took longer than DrainTimeout ({Timeout}); {Connections} connections are cut.")]
    public static partial void DrainTimedOut(ILogger logger, TimeSpan timeout, int connections);

    [LoggerMessage(EventIds.SignedIn, LogLevel.Debug, "Connection {ConnectionId} signed in as {UserId} on {DeviceId} over {Transport}.")]
    public static partial void SignedIn(ILogger logger, string connectionId, string userId, string deviceId, string transport);

    [LoggerMessage(EventIds.SignInRefused, LogLevel.Debug, "Connection {ConnectionId}: sign-in refused, {Code}: {Message}")]
    public static partial void SignInRefused(ILogger logger, string connectionId, ImErrorCode code, string message);

    [LoggerMessage(EventIds.ConnectionClosed, LogLevel.Debug, "Connection {ConnectionId} of {UserId} closed, {Code}: {Reason}")]
    public static partial void ConnectionClosed(ILogger logger, string connectionId, string userId, ImCloseCode code, string reason, Exception? exception);

    [LoggerMessage(EventIds.ConnectionRefused, LogLevel.Warning, "A connection from {RemoteAddress} was refused: {Reason}")]
    public static partial void ConnectionRefused(ILogger logger, string remoteAddress, string reason);

    [LoggerMessage(EventIds.BadPacket, LogLevel.Debug, "Connection {ConnectionId}: {Problem}")]
    public static partial void BadPacket(ILogger logger, string connectionId, string problem);

    [LoggerMessage(EventIds.RequestFailed, LogLevel.Error, "Request {RequestId} ({Kind}) of connection {ConnectionId} failed.")]
    public static partial void RequestFailed(ILogger logger, uint requestId, ClientPacket.PacketOneofCase kind, string connectionId, Exception exception);

    [LoggerMessage(
        EventIds.StoreRequestFailed,
        LogLevel.Error,
        "Request {RequestId} ({Kind}) of connection {ConnectionId} failed in the store, and {Others} others since the last such line.")]
    public static partial void StoreRequestFailed(
        ILogger logger, uint requestId, ClientPacket.PacketOneofCase kind, string connectionId, int others, Exception exception);

    [LoggerMessage(EventIds.InterceptorFailed, LogLevel.Error, "Message interceptor {Interceptor} failed.")]
    public static partial void InterceptorFailed(ILogger logger, string interceptor, Exception exception);

    [LoggerMessage(EventIds.NotifierFailed, LogLevel.Error, "{Handler} failed after the commit; {Messages} messages were not told.")]
    public static partial void NotifierFailed(ILogger logger, string handler, int messages, Exception exception);

    [LoggerMessage(EventIds.UserProviderFailed, LogLevel.Error, "The user provider failed for connection {ConnectionId}.")]
    public static partial void UserProviderFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(EventIds.NoticesDropped, LogLevel.Warning, "Handlers after the commit are too slow: the oldest batch of {Messages} messages was dropped.")]
    public static partial void NoticesDropped(ILogger logger, int messages);

    [LoggerMessage(EventIds.DeviceNotSaved, LogLevel.Warning, "The device of connection {ConnectionId} could not be saved; it is signed in all the same.")]
    public static partial void DeviceNotSaved(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(EventIds.CommitFailed, LogLevel.Error, "Batch {BatchNumber} of {Messages} messages could not be committed ({Why}); its senders are told.")]
    public static partial void CommitFailed(ILogger logger, long batchNumber, int messages, string why, Exception exception);

    [LoggerMessage(EventIds.CommitSplit, LogLevel.Warning, "The store refused batch {BatchNumber} of {Messages} messages; they are tried in smaller ones.")]
    public static partial void CommitSplit(ILogger logger, long batchNumber, int messages, Exception exception);

    [LoggerMessage(EventIds.RefusalFailed, LogLevel.Error, "The sender of an item for {ConversationId} could not be told that it was not stored.")]
    public static partial void RefusalFailed(ILogger logger, string conversationId, Exception exception);

    [LoggerMessage(EventIds.HeadCheckFailed, LogLevel.Warning, "The heads of live sessions could not be checked; it is tried again.")]
    public static partial void HeadCheckFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.EntriesMissed, LogLevel.Warning, "{Timelines} timelines of live sessions had entries that were not delivered to them; they are read now.")]
    public static partial void EntriesMissed(ILogger logger, int timelines);

    [LoggerMessage(EventIds.TimelinesDiffer, LogLevel.Warning, "Connection {ConnectionId} follows other conversations than it should; it is closed to sign in again.")]
    public static partial void TimelinesDiffer(ILogger logger, string connectionId);

    [LoggerMessage(EventIds.CatchUpRetried, LogLevel.Warning, "Sessions that are behind cannot be read for, beginning with connection {ConnectionId}; it is tried again until it works.")]
    public static partial void CatchUpRetried(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(EventIds.CatchUpFailed, LogLevel.Error, "Connection {ConnectionId} could not read its timelines; it is closed to sign in again.")]
    public static partial void CatchUpFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(EventIds.DeliveryFailed, LogLevel.Critical, "Batch {BatchNumber} was committed but its delivery failed; sessions read it from the store.")]
    public static partial void DeliveryFailed(ILogger logger, long batchNumber, Exception exception);

    [LoggerMessage(EventIds.HeartbeatFailed, LogLevel.Error, "The heartbeat failed for connection {ConnectionId}.")]
    public static partial void HeartbeatFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(EventIds.ReloadFailed, LogLevel.Error, "Conversation {ConversationId} could not be read for a commit.")]
    public static partial void ReloadFailed(ILogger logger, string conversationId, Exception exception);

    [LoggerMessage(EventIds.OfferFailed, LogLevel.Error, "Entries could not be queued for connection {ConnectionId}; it is closed to sign in again.")]
    public static partial void OfferFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(EventIds.AnswerFailed, LogLevel.Error, "An item of batch {BatchNumber} was committed but its sender could not be answered.")]
    public static partial void AnswerFailed(ILogger logger, long batchNumber, Exception exception);

    [LoggerMessage(EventIds.LoopFailed, LogLevel.Critical, "The server's {Loop} ended unexpectedly; the application is stopped.")]
    public static partial void LoopFailed(ILogger logger, string loop, Exception exception);

    [LoggerMessage(EventIds.RetentionPassed, LogLevel.Debug, "Retention deleted {Entries} entries, {Chunks} inbox chunks and {Rows} log rows, and merged {Merged} chunks.")]
    public static partial void RetentionPassed(ILogger logger, int entries, int chunks, int merged, int rows);

    [LoggerMessage(EventIds.RetentionFailed, LogLevel.Warning, "The retention of {Part} failed; it is tried again in the next pass.")]
    public static partial void RetentionFailed(ILogger logger, string part, Exception exception);

    [LoggerMessage(EventIds.RetentionMissing, LogLevel.Warning, "The storage has no IRetentionStore, so nothing is ever deleted. Register one, or use a storage package that has it.")]
    public static partial void RetentionMissing(ILogger logger);

    [LoggerMessage(EventIds.SendQueueFull, LogLevel.Warning, "The queue of sends has {MaxRows} rows (MaxQueuedSends); {Messages} sends are refused.")]
    public static partial void SendQueueFull(ILogger logger, long maxRows, int messages);

    [LoggerMessage(EventIds.SendsNotQueued, LogLevel.Error, "{Messages} sends could not be written to the queue; their senders are told.")]
    public static partial void SendsNotQueued(ILogger logger, int messages, Exception exception);

    [LoggerMessage(EventIds.DrainLeaseTaken, LogLevel.Debug, "This node drains the queue of sends.")]
    public static partial void DrainLeaseTaken(ILogger logger);

    [LoggerMessage(EventIds.DrainLeaseEnded, LogLevel.Debug, "This node does not drain the queue of sends any more.")]
    public static partial void DrainLeaseEnded(ILogger logger);

    [LoggerMessage(EventIds.QueuedSendFailed, LogLevel.Error, "Row {Row} of the queue of sends could not be sent; it is tried again.")]
    public static partial void QueuedSendFailed(ILogger logger, long row, Exception exception);

    [LoggerMessage(
        EventIds.QueuedSendDropped,
        LogLevel.Error,
        "A queued send of {SenderId} ({ClientMessageId}) to {ConversationId} was refused when its turn came, and is dropped: {Code}, {Message}")]
    public static partial void QueuedSendDropped(
        ILogger logger, string senderId, string clientMessageId, string conversationId, ImErrorCode code, string message);

    [LoggerMessage(EventIds.DrainFailed, LogLevel.Warning, "The queue of sends could not be drained; it is tried again.")]
    public static partial void DrainFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.QueueNotRead, LogLevel.Warning, "The queue of sends could not be looked at; it is tried again until it works.")]
    public static partial void QueueNotRead(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.MemberCacheFailed, LogLevel.Warning, "The shared cache of the members of {ConversationId} failed; the store is asked instead.")]
    public static partial void MemberCacheFailed(ILogger logger, string conversationId, Exception exception);

    [LoggerMessage(EventIds.MembersCached, LogLevel.Debug, "The shared cache holds the {Members} members of {ConversationId} at version {Version}.")]
    public static partial void MembersCached(ILogger logger, string conversationId, long version, int members);

    [LoggerMessage(EventIds.MemberNoticesFailed, LogLevel.Error, "The members of {ConversationId} could not be read for offline notices; the rest of them are not told.")]
    public static partial void MemberNoticesFailed(ILogger logger, string conversationId, Exception exception);
}
