using Im.Protocol;

namespace Im.Users;

/// <summary>An <see cref="IUserProvider"/>'s answer: a user, or a refusal.</summary>
public sealed record AuthenticationResult
{
    private AuthenticationResult()
    {
    }

    /// <summary>Whose token it is; null for a refusal.</summary>
    public string? UserId { get; private init; }

    /// <summary>When the token expires; null = never. The session is closed then unless the client refreshes it.</summary>
    public DateTimeOffset? ExpiresAt { get; private init; }

    /// <summary>Why it is refused; <see cref="ImErrorCode.None"/> otherwise.</summary>
    public ImErrorCode Code { get; private init; }

    /// <summary>A sentence for the client's developer.</summary>
    public string Message { get; private init; } = "";

    /// <summary>The token is this user's.</summary>
    public static AuthenticationResult Success(string userId, DateTimeOffset? expiresAt = null) =>
        new() { UserId = userId, ExpiresAt = expiresAt };

    /// <summary>The token is not valid.</summary>
    public static AuthenticationResult BadToken(string message = "The token is not valid.") =>
        new() { Code = ImErrorCode.BadToken, Message = message };

    /// <summary>The token was valid once.</summary>
    public static AuthenticationResult Expired(string message = "The token has expired; get a new one.") =>
        new() { Code = ImErrorCode.TokenExpired, Message = message };
}
