using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>Makes the exceptions that callers see.</summary>
internal static class Errors
{
    public static ImClientException Refused(Error error, string? clientMessageId = null) => new(
        ImClientFailure.Refused,
        string.IsNullOrEmpty(error.Message) ? $"The server refused: {error.Reason} ({error.Code})." : error.Message)
    {
        Code = (ImErrorCode)error.Code,
        Reason = error.Reason,
        ClientMessageId = clientMessageId,
    };

    public static ImClientException Closed(ImCloseCode code, string reason) => new(
        ImClientFailure.Closed, $"The server closed the connection for good: {ImErrorCodes.GetName(code)} ({(int)code}) {reason}".TrimEnd() + ".")
    {
        CloseCode = code,
        Reason = reason.Length > 0 ? reason : ImErrorCodes.GetName(code),
    };

    public static ImClientException TimedOut(TimeSpan timeout) =>
        new(ImClientFailure.TimedOut, $"No answer within {timeout.TotalSeconds:0.###} s; ImClientOptions.RequestTimeout is the limit.");

    public static ImClientException Disconnected(string? clientMessageId) =>
        new(ImClientFailure.Disconnected, "Not connected, and a non-persistent message, a signal or a room message is not sent again.") { ClientMessageId = clientMessageId };

    public static ImClientException UnexpectedAnswer(ServerPacket packet) =>
        new(ImClientFailure.Protocol, $"The server answered with {packet.PacketCase}, which does not belong to the request.");

    /// <summary>Whether the same request may succeed a little later.</summary>
    public static bool IsTransient(int code) => (ImErrorCode)code is
        ImErrorCode.Internal or ImErrorCode.StorageUnavailable or ImErrorCode.ShuttingDown or ImErrorCode.RateLimited or ImErrorCode.Conflict
        or ImErrorCode.ClusterUnavailable;
}
