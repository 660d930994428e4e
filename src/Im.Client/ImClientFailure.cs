namespace Im.Client;

/// <summary>What kind of failure an <see cref="ImClientException"/> is.</summary>
public enum ImClientFailure
{
    /// <summary>The server answered with an error; <see cref="ImClientException.Code"/> says which.</summary>
    Refused,

    /// <summary>The connection ended for good; <see cref="ImClientException.CloseCode"/> says why, where the server said it.</summary>
    Closed,

    /// <summary>No answer within the request timeout.</summary>
    TimedOut,

    /// <summary>Not connected, and what was asked for is not repeated on the next connection.</summary>
    Disconnected,

    /// <summary>The server sent what the protocol does not allow.</summary>
    Protocol,
}
