using Microsoft.Extensions.Logging;

namespace Im.Client.Internal;

/// <summary>The client's log messages; event ids 9000–9099. An id is never used again for something else.</summary>
internal static partial class Log
{
    [LoggerMessage(9000, LogLevel.Debug, "Connecting to {Server}, attempt {Attempt}.")]
    public static partial void Connecting(ILogger logger, Uri server, int attempt);

    [LoggerMessage(9001, LogLevel.Information, "Signed in as {UserId}, connection {ConnectionId}; reset: {Reset}.")]
    public static partial void SignedIn(ILogger logger, string userId, string connectionId, bool reset);

    [LoggerMessage(9002, LogLevel.Information, "The connection ended ({Reason}); reconnecting in {DelayMs} ms.")]
    public static partial void Reconnecting(ILogger logger, string reason, long delayMs, Exception? exception);

    [LoggerMessage(9003, LogLevel.Warning, "The client is closed for good: {Reason}.")]
    public static partial void Closed(ILogger logger, string reason, Exception? exception);

    [LoggerMessage(9004, LogLevel.Warning, "The cursor file {Path} cannot be understood; starting without cursors.")]
    public static partial void CursorFileUnusable(ILogger logger, string path, Exception? exception);

    [LoggerMessage(9005, LogLevel.Warning, "Saving the cursors failed; it is tried again at the next interval.")]
    public static partial void CursorSaveFailed(ILogger logger, Exception exception);

    [LoggerMessage(9006, LogLevel.Error, "A StateChanged handler threw.")]
    public static partial void StateHandlerFailed(ILogger logger, Exception exception);

    [LoggerMessage(9007, LogLevel.Warning, "The saved cursors belong to another user; starting without cursors.")]
    public static partial void CursorsOfAnotherUser(ILogger logger);

    [LoggerMessage(9008, LogLevel.Warning, "The server reported an error outside of a request: {Code} {Reason}: {Message}")]
    public static partial void UnaskedError(ILogger logger, int code, string reason, string message);

    // 9009 was a warning of answers behind a full event buffer.
    [LoggerMessage(9010, LogLevel.Debug,
        "The event buffer is full and the application waits for an answer: pushes are left to the next connection until the buffer is empty.")]
    public static partial void Overrun(ILogger logger);

    [LoggerMessage(9011, LogLevel.Warning, "The token could not be refreshed; it is tried again, and at the latest when the server closes the connection.")]
    public static partial void RefreshFailed(ILogger logger, Exception exception);
}
