namespace Im;

/// <summary>Why a request was not done. Numbers and names are part of the protocol and never change their meaning.</summary>
/// <remarks>
/// On the wire an error carries the number, the name in snake_case (<see cref="ImErrorCodes.GetName(ImErrorCode)"/>) and a sentence for people.
/// Values from <see cref="FirstHostCode"/> on belong to the host and its interceptors.
/// </remarks>
public enum ImErrorCode
{
    /// <summary>No error.</summary>
    None = 0,

    // 1xx: the server
    /// <summary>An unexpected failure; the server's log has it under the request id. Retrying with the same client message id is safe.</summary>
    Internal = 100,

    /// <summary>The store could not be written or read. Nothing was acknowledged; retrying with the same client message id is safe.</summary>
    StorageUnavailable = 101,

    /// <summary>The server is closing and takes no new work.</summary>
    ShuttingDown = 102,

    /// <summary>What the nodes share (rooms, presence of others) cannot be reached now; try again.</summary>
    ClusterUnavailable = 103,

    // 2xx: the packet
    /// <summary>The bytes are no packet: malformed protobuf or JSON, or text that is not valid UTF-8.</summary>
    BadPacket = 200,

    /// <summary>The packet's kind is unknown to this server, or the packet is empty.</summary>
    UnknownPacket = 201,

    /// <summary>A field is missing, too long or out of its range; the message names it.</summary>
    InvalidArgument = 202,

    /// <summary>More requests a second than the session may make.</summary>
    RateLimited = 203,

    /// <summary>A packet is over the limit, or its length on TCP is negative. A WebSocket frame with a broken header is a bad packet.</summary>
    FrameTooLarge = 204,

    // 3xx: signing in
    /// <summary>Something else than a sign-in came first.</summary>
    NotSignedIn = 300,

    /// <summary>A second sign-in on one connection.</summary>
    AlreadySignedIn = 301,

    /// <summary>The user provider refused the token.</summary>
    BadToken = 302,

    /// <summary>The token has expired; sign in or refresh with a new one.</summary>
    TokenExpired = 303,

    /// <summary>A cursor is beyond the head of its timeline in the same store generation.</summary>
    CursorBeyondHead = 304,

    // 4xx: messages and conversations
    /// <summary>No such user.</summary>
    UnknownUser = 400,

    /// <summary>No such conversation or group.</summary>
    UnknownConversation = 401,

    /// <summary>The user is not a member of the conversation.</summary>
    NotAMember = 402,

    /// <summary>The message has neither text nor data.</summary>
    EmptyBody = 403,

    /// <summary>The message's content is larger than the server allows.</summary>
    BodyTooLarge = 404,

    /// <summary>The client message id was used before for another message.</summary>
    ClientIdReused = 405,

    /// <summary>A host's interceptor refused the message.</summary>
    RejectedByHost = 406,

    /// <summary>A host's interceptor did not answer in time.</summary>
    InterceptorTimeout = 407,

    /// <summary>The group has, or would have, more members than the server allows.</summary>
    TooManyMembers = 408,

    /// <summary>The group was dissolved.</summary>
    Dissolved = 409,

    /// <summary>The conversation changed too often while this was tried; try again.</summary>
    Conflict = 410,

    /// <summary>A group with this id exists already.</summary>
    AlreadyExists = 411,

    /// <summary>The store refuses this message, and would again. It was not stored.</summary>
    StorageRefused = 412,

    /// <summary>The host does not let this user subscribe to the room, or send into it.</summary>
    RoomForbidden = 413,

    /// <summary>The user may not see this presence.</summary>
    PresenceForbidden = 414,

    /// <summary>More rooms, or more presence, than one connection may subscribe to.</summary>
    TooManySubscriptions = 415,

    /// <summary>The first value that belongs to the host.</summary>
    FirstHostCode = 10000,
}
