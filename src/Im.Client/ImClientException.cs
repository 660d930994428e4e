using Im.Protocol;

namespace Im.Client;

/// <summary>A request that was not done, or a connection that ended for good.</summary>
public sealed class ImClientException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ImClientException(ImClientFailure failure, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Failure = failure;
    }

    /// <summary>What kind of failure it is.</summary>
    public ImClientFailure Failure { get; }

    /// <summary>The server's error code; <see cref="ImErrorCode.None"/> where there was no error reply. From 10000 on the host's own.</summary>
    public ImErrorCode Code { get; init; }

    /// <summary>The code that the server closed the connection with, where it did.</summary>
    public ImCloseCode? CloseCode { get; init; }

    /// <summary>The name of the code, for example <c>not_a_member</c>, or the reason of the close; empty where there is none.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The client message id of the send that failed; null for anything else.</summary>
    public string? ClientMessageId { get; init; }
}
