using System.Security.Claims;
using Im.Sample.Chat.Data;
using Im.Users;

namespace Im.Sample.Chat.Accounts;

/// <summary>The one class that IM needs of a host: whose cookie or token it is, and who exists.</summary>
internal sealed class ChatUserProvider(UserTable users, SignInTable signIns, ImTokens tokens, TimeProvider time) : IUserProvider
{
    // A browser's connection is looked at again this often: it reconnects with its cookie, or is refused without one.
    private static readonly TimeSpan BrowserSession = TimeSpan.FromHours(12);

    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken)
    {
        // A token beats the cookie: a client that names one means it.
        if (request.Token.Length > 0)
        {
            return ValueTask.FromResult(tokens.Read(request.Token) is { } token && signIns.TryUse(token.SignInId, token.UserId, request.Device.DeviceId)
                ? AuthenticationResult.Success(token.UserId, token.ExpiresAt)
                : AuthenticationResult.BadToken("The token is not valid, has expired or was signed out; get a new one from POST /api/token."));
        }

        // Only the endpoint that requires authorization hands over a principal, so it is the cookie's.
        var userId = request.Principal?.Identity?.IsAuthenticated == true ? request.Principal.FindFirstValue(ClaimTypes.NameIdentifier) : null;
        return ValueTask.FromResult(userId is not null && signIns.TryUse(request.Principal!.SignInId(), userId, request.Device.DeviceId)
            ? AuthenticationResult.Success(userId, time.GetUtcNow() + BrowserSession)
            : AuthenticationResult.BadToken("Sign in first: with the page's cookie, or with a token from POST /api/token."));
    }

    public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<ImUser>>([.. users.Existing(userIds).Select(id => new ImUser(id))]);
}
