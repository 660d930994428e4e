using Im.Protocol;
using Microsoft.Extensions.Logging;

namespace Im.Transport.WebSockets.Internal;

/// <summary>What clients cause is Debug; only a mistake of the server's is an error.</summary>
internal static partial class Log
{
    [LoggerMessage(EventIds.Connected, LogLevel.Debug, "WebSocket from {RemoteAddress} connected ({Subprotocol}).")]
    public static partial void Connected(ILogger logger, string remoteAddress, string subprotocol);

    [LoggerMessage(EventIds.Disconnected, LogLevel.Debug, "WebSocket from {RemoteAddress} closed: {Code} {Reason}")]
    public static partial void Disconnected(ILogger logger, string remoteAddress, int code, string reason);

    [LoggerMessage(EventIds.ConnectionFailed, LogLevel.Debug, "WebSocket from {RemoteAddress} was lost.")]
    public static partial void ConnectionFailed(ILogger logger, Exception? exception, string remoteAddress);

    [LoggerMessage(EventIds.WriteFailed, LogLevel.Debug, "WebSocket from {RemoteAddress} could not be written to.")]
    public static partial void WriteFailed(ILogger logger, Exception exception, string remoteAddress);

    [LoggerMessage(EventIds.Refused, LogLevel.Debug, "WebSocket request from {RemoteAddress} refused with {StatusCode}: {Reason}")]
    public static partial void Refused(ILogger logger, string? remoteAddress, int statusCode, string reason);

    [LoggerMessage(EventIds.BadInput, LogLevel.Debug, "WebSocket from {RemoteAddress} sent what is no packet: {Code} {Reason}")]
    public static partial void BadInput(ILogger logger, string remoteAddress, ImCloseCode code, string reason);

    [LoggerMessage(EventIds.CloseTimedOut, LogLevel.Debug, "WebSocket from {RemoteAddress} did not close in time and was aborted.")]
    public static partial void CloseTimedOut(ILogger logger, string remoteAddress);

    [LoggerMessage(EventIds.Crashed, LogLevel.Error, "WebSocket from {RemoteAddress} is closed after an unexpected exception.")]
    public static partial void Crashed(ILogger logger, Exception exception, string remoteAddress);
}
