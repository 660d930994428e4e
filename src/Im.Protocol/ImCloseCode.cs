namespace Im;

/// <summary>Why the server closed a connection; the same value in the Close packet and in a WebSocket's close frame.</summary>
/// <remarks>
/// 3000–3499: reconnect, after the delay that the Close packet names. 3500–3999: do not reconnect by yourself.
/// 4000–4999: the host's, given to <c>DisconnectAsync</c>; clients do not reconnect after them.
/// </remarks>
public enum ImCloseCode
{
    /// <summary>The client left.</summary>
    Normal = 1000,

    /// <summary>The server is shutting down or being replaced by a new version.</summary>
    Shutdown = 3000,

    /// <summary>The client did not read what it asked for and its replies filled the queue.</summary>
    Slow = 3001,

    /// <summary>The token expired; reconnect with a new one.</summary>
    TokenExpired = 3002,

    /// <summary>Nothing was received for the idle timeout.</summary>
    Idle = 3003,

    /// <summary>An unexpected failure on the server; its log has the details.</summary>
    InternalError = 3004,

    /// <summary>Too many connections, in all or from this address.</summary>
    TooManyConnections = 3005,

    /// <summary>No sign-in arrived in time.</summary>
    SignInTimeout = 3006,

    /// <summary>The store could not be read at sign-in.</summary>
    StorageUnavailable = 3007,

    /// <summary>The user provider refused the token.</summary>
    BadToken = 3500,

    /// <summary>The bytes received are no packet.</summary>
    BadPacket = 3501,

    /// <summary>A packet is over the limit, or its length on TCP is negative. A WebSocket frame with a broken header is a bad packet.</summary>
    FrameTooLarge = 3502,

    /// <summary>Something else than a sign-in came first.</summary>
    NotSignedIn = 3503,

    /// <summary>The same user and device signed in on another connection.</summary>
    Replaced = 3504,

    /// <summary>The host disconnected this user or device.</summary>
    Disconnected = 3505,

    /// <summary>The sign-in carried a cursor beyond the head of its timeline.</summary>
    BadCursor = 3506,

    /// <summary>The sign-in's fields are not valid; the reason names the first one.</summary>
    BadSignIn = 3507,

    /// <summary>The first value that belongs to the host.</summary>
    FirstHostCode = 4000,
}
