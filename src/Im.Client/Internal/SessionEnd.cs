using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>How a connection ended.</summary>
/// <param name="Reason">In words.</param>
/// <param name="Final">What to throw from now on; null: reconnect.</param>
/// <param name="Code">The server's close code, if it sent one.</param>
/// <param name="ReconnectAfter">The least wait before the next attempt.</param>
/// <param name="Error">What failed.</param>
/// <param name="IsHandOver">The client ended it to go on, at once, with another connection.</param>
internal sealed record SessionEnd(
    string Reason, ImClientException? Final = null, ImCloseCode? Code = null, TimeSpan ReconnectAfter = default, Exception? Error = null,
    bool IsHandOver = false)
{
    /// <summary>The buffer is empty again: the server shall push what was left.</summary>
    public static readonly SessionEnd Overrun = new("The event buffer was full.", IsHandOver: true);

    public static SessionEnd Lost(string reason, Exception? error = null) => new(reason, Error: error);

    public static SessionEnd Closed(ImCloseCode code, string reason, int reconnectAfterMs)
    {
        var words = reason.Length > 0 ? reason : ImErrorCodes.GetName(code);
        return ImErrorCodes.ShouldReconnect(code)
            ? new SessionEnd(words, null, code, TimeSpan.FromMilliseconds(Math.Max(0, reconnectAfterMs)))
            : new SessionEnd(words, Errors.Closed(code, reason), code);
    }

    /// <summary>The sign-in was answered with an error.</summary>
    public static SessionEnd Refused(Error error)
    {
        var exception = Errors.Refused(error);
        return Errors.IsTransient(error.Code) || exception.Code == ImErrorCode.TokenExpired
            ? new SessionEnd(error.Reason, Error: exception)
            : new SessionEnd(error.Reason, exception, Error: exception);
    }
}
