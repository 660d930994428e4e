using System.Net.Sockets;
using System.Security.Authentication;
using Im.Protocol;

namespace Im.Transport.Tcp.Internal;

/// <summary>Why a connection ended: set once, reported by everyone.</summary>
internal sealed record CloseReason(ImCloseCode Code, string Text, Exception? Error = null)
{
    public static readonly CloseReason ClientLeft = new(ImCloseCode.Normal, "the client left");

    public static readonly CloseReason Stopped = new(ImCloseCode.Shutdown, "the transport stopped");

    public static CloseReason From(Exception error) =>
        IsExpected(error)
            ? new(ImCloseCode.Normal, "the connection was lost", error)
            : new(ImCloseCode.InternalError, "unexpected failure", error);

    /// <summary>What networks do; worth a debug line, no error.</summary>
    public static bool IsExpected(Exception error) =>
        error is SocketException or IOException or ObjectDisposedException or AuthenticationException or OperationCanceledException;
}
