using System.Net;
using Im.Protocol;
using Microsoft.Extensions.Logging;

namespace Im.Transport.Tcp.Internal;

internal static partial class Log
{
    [LoggerMessage(EventIds.Listening, LogLevel.Information, "Listening on {Endpoint} (TLS: {Tls})")]
    public static partial void Listening(ILogger logger, IPEndPoint endpoint, bool tls);

    [LoggerMessage(EventIds.StoppedListening, LogLevel.Debug, "Stopped listening on {Endpoint}")]
    public static partial void StoppedListening(ILogger logger, IPEndPoint endpoint);

    [LoggerMessage(EventIds.AcceptRetried, LogLevel.Debug, "A connection to {Endpoint} was gone before it was accepted")]
    public static partial void AcceptRetried(ILogger logger, IPEndPoint endpoint, Exception error);

    [LoggerMessage(EventIds.AcceptDelayed, LogLevel.Warning,
        "Cannot accept on {Endpoint}; trying again in {Delay}. Too many open files? Raise the limit (ulimit -n)")]
    public static partial void AcceptDelayed(ILogger logger, IPEndPoint endpoint, TimeSpan delay, Exception error);

    [LoggerMessage(EventIds.ConnectionAccepted, LogLevel.Debug, "Connection from {RemoteAddress}")]
    public static partial void ConnectionAccepted(ILogger logger, string remoteAddress);

    [LoggerMessage(EventIds.ConnectionEnded, LogLevel.Debug, "Connection from {RemoteAddress} ended: {Code}, {Reason}")]
    public static partial void ConnectionEnded(ILogger logger, string remoteAddress, ImCloseCode code, string reason);

    [LoggerMessage(EventIds.ConnectionLost, LogLevel.Debug, "Connection from {RemoteAddress} was lost")]
    public static partial void ConnectionLost(ILogger logger, string remoteAddress, Exception error);

    [LoggerMessage(EventIds.ConnectionFailed, LogLevel.Error, "Connection from {RemoteAddress} failed unexpectedly")]
    public static partial void ConnectionFailed(ILogger logger, string remoteAddress, Exception error);

    [LoggerMessage(EventIds.HandlerFailed, LogLevel.Error, "The handler of the connection from {RemoteAddress} threw where it must not")]
    public static partial void HandlerFailed(ILogger logger, string remoteAddress, Exception error);

    [LoggerMessage(EventIds.CloseTimedOut, LogLevel.Debug, "Connection from {RemoteAddress} did not close in time and is cut")]
    public static partial void CloseTimedOut(ILogger logger, string remoteAddress);

    [LoggerMessage(EventIds.ConnectionsLeft, LogLevel.Warning, "{Count} connections did not end in time")]
    public static partial void ConnectionsLeft(ILogger logger, int count);

    [LoggerMessage(EventIds.NoTls, LogLevel.Warning, "{Endpoint} is open to other machines without TLS: tokens and messages can be read on the way. Set the endpoint's Certificate, or its Address to IPAddress.Loopback behind a proxy")]
    public static partial void NoTls(ILogger logger, IPEndPoint endpoint);
}
