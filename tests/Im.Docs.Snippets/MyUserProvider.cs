using System.Security.Claims;
using Im.Users;

namespace Im.Docs.Snippets;

/// <summary>A provider as a host with cookies or bearer tokens writes it.</summary>
internal sealed class MyUserProvider : IUserProvider
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken)
    {
        // An endpoint with RequireAuthorization() hands over the host's own principal; native clients send a token.
        var userId = request.Principal?.FindFirstValue(ClaimTypes.NameIdentifier) ?? FindUserByToken(request.Token);
        return ValueTask.FromResult(userId is null ? AuthenticationResult.BadToken() : AuthenticationResult.Success(userId));
    }

    public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Where(Exists).Select(id => new ImUser(id))]);

    private static string? FindUserByToken(string token) => token.Length > 0 ? token : null;

    private static bool Exists(string userId) => userId.Length > 0;
}
